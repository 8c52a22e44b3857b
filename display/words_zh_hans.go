package display //nolint:dupl // a catalogue is alike in every language

import "payscand/payment"

var simplifiedChinese = words{
	screens: map[Kind]ScreenWords{
		KindIdle:       {"欢迎光临", "应付金额将显示在这里。"},
		KindAmount:     {"请出示付款码", "请打开钱包应用，将付款码对准扫码器。"},
		KindQR:         {"请扫码支付", "请用钱包应用扫描此二维码。"},
		KindProcessing: {"请查看手机", "如应用提示，请在手机上确认付款。"},
		KindWait:       {"请稍候", "马上为您办理。"},
		KindUnresolved: {"请咨询收银员", "我们仍在核实这笔付款。"},
		KindAskCashier: {"请咨询收银员", "收银员会为您提供帮助。"},
		KindApproved:   {"支付成功", "谢谢惠顾！"},
		KindDeclined:   {Title: "付款未完成"},
		KindCancelled:  {"付款已取消", "收银员会为您提供帮助。"},
		KindOutOfOrder: {"暂停服务", "请向收银员咨询其他付款方式。"},
	},
	offline:  ScreenWords{"请稍候", "我们很快恢复服务。"},
	timeLeft: "剩余时间",
	reasons: map[payment.Reason]ReasonWords{
		payment.ReasonInsufficientFunds: {
			"顾客的钱包不足以支付此金额。请顾客在应用中改用其他银行卡或余额，再扫描新的付款码。",
			"您的钱包不足以支付此金额，请在应用中改用其他银行卡或余额。",
		},
		payment.ReasonDeclined: {
			"钱包拒绝了这笔付款。请顾客查看应用，再扫描新的付款码，或改用其他付款方式。",
			"您的钱包未批准这笔付款，请查看应用或改用其他付款方式。",
		},
		payment.ReasonInvalidCode: {
			"钱包无法识别此码。请顾客在应用中重新打开付款码，再扫描一次。",
			"无法使用此码，请在应用中重新打开付款码。",
		},
		payment.ReasonExpiredCode: {
			"付款码已过期或已使用过。请顾客在应用中刷新付款码，再扫描新码。",
			"付款码已失效，请在应用中刷新后重新出示。",
		},
		payment.ReasonNotPaidInTime: {
			"顾客未在规定时间内付款，订单已关闭。请扫描新的付款码，或重新开始一笔交易。",
			"付款时间已过，请重试。",
		},
		payment.ReasonCancelled: {
			"这笔付款已在支付网关取消。如需继续，请扫描新的付款码，或重新开始一笔交易。",
			"付款已取消。",
		},
		payment.ReasonQRNotShown: {
			"未能取得二维码，也没有人看到过，因此不可能被支付。请扫描顾客的付款码，或再次请求二维码。",
			"二维码暂时不可用，请出示您的付款码。",
		},
		payment.ReasonAbsent: {
			"支付网关从未收到此订单，因此没有扣款。请扫描新的付款码，或重新开始一笔交易。",
			"我们没有收到付款，请重试。",
		},
		payment.ReasonOverridden: {
			"网关没有给出结果，本交易的结果由工作人员认定。终端会继续查询，若事实不同会显示出来。",
			"本店已处理这笔付款，如有疑问请咨询收银员。",
		},
		payment.ReasonScanDamaged: {
			"扫描的内容不完整，因此没有发送任何请求。请重新扫码；如果经常发生，终端状态会说明如何调整扫码器。",
			"未能读取该付款码。请拿稳手机并再次出示。",
		},
		payment.ReasonNotEnoughBalance: {
			"本店在支付网关的余额不足以支付这笔退款。请通知管理员充值；只有在本次退款失败之后，才可用其他方式退还。",
			"暂时无法退款，请咨询收银员。",
		},
		payment.ReasonAlreadyRefunded: {
			"支付网关早已将这笔付款全额退还。请不要再次退款：须在网关后台核对订单。",
			"这笔付款此前已退还，请查看应用。",
		},
		payment.ReasonRefundTooLate: {
			"这笔付款已超过支付网关的退款期限。本次退款失败之后，请用其他方式退还。",
			"已无法退款至您的应用，请咨询收银员。",
		},
		payment.ReasonRefundInProcess: {
			"支付网关正在处理这笔付款的另一笔退款，因此未受理本次退款。只有在本次退款失败且那一笔结束之后，才可再次退款。",
			"这笔付款的另一笔退款正在处理，请咨询收银员。",
		},
		payment.ReasonRefundInReview: {
			"支付网关须先审核这笔退款才会退还。请不要用其他方式退还：终端会继续查询并显示结果。",
			"您的退款正在审核，可能需要几天。",
		},
		payment.ReasonRefundAmount: {
			"支付网关拒绝了此金额：它超过这笔付款剩余可退的金额。用其他方式退还之前，须在网关后台核对订单。",
			"暂时无法退款，请咨询收银员。",
		},
		payment.ReasonRefundFailed: {
			"支付网关未能完成这笔退款。本次退款在此失败之后，请再次退款，或用其他方式退还。",
			"暂时无法退款，请咨询收银员。",
		},
		payment.ReasonBadSignature: {
			"支付网关拒绝了我们的签名。请改用其他付款方式，并通知管理员：私钥必须与在网关登记的一致。",
			"此付款方式暂时不可用，请咨询收银员。",
		},
		payment.ReasonUnknownMerchant: {
			"支付网关不认识此商户。请改用其他付款方式，并通知管理员：须更正配置中的商户号或客户端 ID。",
			"此付款方式暂时不可用，请咨询收银员。",
		},
		payment.ReasonClockWrong: {
			"支付网关拒绝了请求的时间。请改用其他付款方式，并通知管理员：须校准本机时钟。",
			"此付款方式暂时不可用，请咨询收银员。",
		},
		payment.ReasonRequestRefused: {
			"支付网关拒绝了请求。请改用其他付款方式，并将网关代码告知管理员：配置与合同不符。",
			"此付款方式暂时不可用，请咨询收银员。",
		},
		payment.ReasonNotPermitted: {
			"本店的合同不允许这种付款。请改用其他付款方式，并通知管理员，由其向支付网关申请开通。",
			"本店不接受此付款方式，请改用其他付款方式。",
		},
		payment.ReasonGatewayUnreachable: {
			"无法连接支付网关，请求未发出，因此没有扣款。请检查网络，再扫描新的付款码或改用其他付款方式。",
			"网络暂时中断，请稍候或改用其他付款方式。",
		},
		payment.ReasonNoAnswer: {
			"支付网关没有答复，尚不清楚是否已付款。请先不要再次收款：终端会继续查询并显示结果。",
			"我们仍在核实您的付款，再次付款前请咨询收银员。",
		},
		payment.ReasonAnswerUnverified: {
			"无法验证支付网关的答复，因此不作数。请先不要再次收款。若一直如此，请通知管理员：须检查网关的公钥。",
			"我们仍在核实您的付款，再次付款前请咨询收银员。",
		},
		payment.ReasonAnswerMalformed: {
			"无法读懂支付网关的答复，因此不作数。请先不要再次收款：终端会继续查询并显示结果。",
			"我们仍在核实您的付款，再次付款前请咨询收银员。",
		},
		payment.ReasonAnswerMismatch: {
			"支付网关的答复与本交易的订单、金额或币种不符。请先不要再次收款，并通知管理员：须在网关后台核对订单。",
			"我们仍在核实您的付款，再次付款前请咨询收银员。",
		},
		payment.ReasonGatewayError: {
			"支付网关自身出现问题，没有给出结果。请先不要再次收款：终端会继续查询并显示结果。",
			"我们仍在核实您的付款，再次付款前请咨询收银员。",
		},
		payment.ReasonRateLimited: {
			"支付网关要求放慢请求，没有给出结果。请先不要再次收款：终端会继续查询并显示结果。",
			"我们仍在核实您的付款，再次付款前请咨询收银员。",
		},
		payment.ReasonNotFound: {
			"支付网关目前查不到此订单。在终端显示交易结果之前，请不要再次收款。",
			"我们仍在核实您的付款，再次付款前请咨询收银员。",
		},
	},
}
