package display //nolint:dupl // a catalogue is alike in every language

import "payscand/payment"

var traditionalChinese = words{
	screens: map[Kind]ScreenWords{
		KindIdle:       {"歡迎光臨", "應付金額將顯示於此。"},
		KindAmount:     {"請出示付款碼", "請開啟錢包應用程式，將付款碼對準掃描器。"},
		KindQR:         {"請掃碼付款", "請用錢包應用程式掃描此二維碼。"},
		KindProcessing: {"請查看手機", "如應用程式提示，請在手機上確認付款。"},
		KindWait:       {"請稍候", "馬上為您辦理。"},
		KindUnresolved: {"請洽收銀員", "我們仍在核實這筆付款。"},
		KindAskCashier: {"請洽收銀員", "收銀員會為您提供協助。"},
		KindApproved:   {"付款成功", "多謝惠顧！"},
		KindDeclined:   {Title: "付款未完成"},
		KindCancelled:  {"付款已取消", "收銀員會為您提供協助。"},
		KindOutOfOrder: {"暫停服務", "請向收銀員查詢其他付款方式。"},
	},
	offline:  ScreenWords{"請稍候", "我們很快恢復服務。"},
	timeLeft: "剩餘時間",
	reasons: map[payment.Reason]ReasonWords{
		payment.ReasonInsufficientFunds: {
			"顧客的錢包不足以支付此金額。請顧客在應用程式中改用其他銀行卡或餘額，再掃描新的付款碼。",
			"您的錢包不足以支付此金額，請在應用程式中改用其他銀行卡或餘額。",
		},
		payment.ReasonDeclined: {
			"錢包拒絕了這筆付款。請顧客查看應用程式，再掃描新的付款碼，或改用其他付款方式。",
			"您的錢包未核准這筆付款，請查看應用程式或改用其他付款方式。",
		},
		payment.ReasonInvalidCode: {
			"錢包無法辨識此碼。請顧客在應用程式中重新開啟付款碼，再掃描一次。",
			"無法使用此碼，請在應用程式中重新開啟付款碼。",
		},
		payment.ReasonExpiredCode: {
			"付款碼已過期或已使用過。請顧客在應用程式中更新付款碼，再掃描新碼。",
			"付款碼已失效，請在應用程式中更新後重新出示。",
		},
		payment.ReasonNotPaidInTime: {
			"顧客未在時限內付款，訂單已關閉。請掃描新的付款碼，或重新開始一筆交易。",
			"付款時間已過，請再試一次。",
		},
		payment.ReasonCancelled: {
			"這筆付款已在支付閘道取消。如要繼續，請掃描新的付款碼，或重新開始一筆交易。",
			"付款已取消。",
		},
		payment.ReasonQRNotShown: {
			"未能取得二維碼，也沒有人看過，因此不可能被支付。請掃描顧客的付款碼，或再次要求二維碼。",
			"二維碼暫時無法使用，請出示您的付款碼。",
		},
		payment.ReasonAbsent: {
			"支付閘道從未收到此訂單，因此沒有扣款。請掃描新的付款碼，或重新開始一筆交易。",
			"我們沒有收到付款，請再試一次。",
		},
		payment.ReasonOverridden: {
			"閘道沒有給出結果，本交易的結果由工作人員認定。終端機會繼續查詢，若事實不同會顯示出來。",
			"本店已處理這筆付款，如有疑問請洽收銀員。",
		},
		payment.ReasonScanDamaged: {
			"掃描的內容不完整，因此沒有傳送任何請求。請重新掃碼；如果經常發生，終端狀態會說明如何調整掃碼器。",
			"未能讀取該付款碼。請拿穩手機並再次出示。",
		},
		payment.ReasonNotEnoughBalance: {
			"本店在支付閘道的餘額不足以支付這筆退款。請通知管理員加值；只有在本次退款失敗之後，才可以其他方式退還。",
			"暫時無法退款，請洽收銀員。",
		},
		payment.ReasonAlreadyRefunded: {
			"支付閘道早已將這筆付款全額退還。請不要再次退款：須在閘道後台核對訂單。",
			"這筆付款先前已退還，請查看應用程式。",
		},
		payment.ReasonRefundTooLate: {
			"這筆付款已超過支付閘道的退款期限。本次退款失敗之後，請以其他方式退還。",
			"已無法退款至您的應用程式，請洽收銀員。",
		},
		payment.ReasonRefundInProcess: {
			"支付閘道正在處理這筆付款的另一筆退款，因此未受理本次退款。只有在本次退款失敗且那一筆結束之後，才可再次退款。",
			"這筆付款的另一筆退款正在處理，請洽收銀員。",
		},
		payment.ReasonRefundInReview: {
			"支付閘道須先審核這筆退款才會退還。請不要以其他方式退還：終端機會繼續查詢並顯示結果。",
			"您的退款正在審核，可能需要幾天。",
		},
		payment.ReasonRefundAmount: {
			"支付閘道拒絕了此金額：它超過這筆付款剩餘可退的金額。以其他方式退還之前，須在閘道後台核對訂單。",
			"暫時無法退款，請洽收銀員。",
		},
		payment.ReasonRefundFailed: {
			"支付閘道未能完成這筆退款。本次退款在此失敗之後，請再次退款，或以其他方式退還。",
			"暫時無法退款，請洽收銀員。",
		},
		payment.ReasonBadSignature: {
			"支付閘道拒絕了我們的簽章。請改用其他付款方式，並通知管理員：私鑰必須與在閘道登記的一致。",
			"此付款方式暫時無法使用，請洽收銀員。",
		},
		payment.ReasonUnknownMerchant: {
			"支付閘道不認得此商戶。請改用其他付款方式，並通知管理員：須更正設定中的商戶編號或用戶端 ID。",
			"此付款方式暫時無法使用，請洽收銀員。",
		},
		payment.ReasonClockWrong: {
			"支付閘道拒絕了請求的時間。請改用其他付款方式，並通知管理員：須校準本機時鐘。",
			"此付款方式暫時無法使用，請洽收銀員。",
		},
		payment.ReasonRequestRefused: {
			"支付閘道拒絕了請求。請改用其他付款方式，並將閘道代碼告知管理員：設定與合約不符。",
			"此付款方式暫時無法使用，請洽收銀員。",
		},
		payment.ReasonNotPermitted: {
			"本店的合約不允許這種付款。請改用其他付款方式，並通知管理員，由其向支付閘道申請開通。",
			"本店不接受此付款方式，請改用其他付款方式。",
		},
		payment.ReasonGatewayUnreachable: {
			"無法連線至支付閘道，請求未送出，因此沒有扣款。請檢查網路，再掃描新的付款碼或改用其他付款方式。",
			"網路暫時中斷，請稍候或改用其他付款方式。",
		},
		payment.ReasonNoAnswer: {
			"支付閘道沒有回覆，尚不清楚是否已付款。請先不要再次收款：終端機會繼續查詢並顯示結果。",
			"我們仍在核實您的付款，再次付款前請洽收銀員。",
		},
		payment.ReasonAnswerUnverified: {
			"無法驗證支付閘道的回覆，因此不算數。請先不要再次收款。若一直如此，請通知管理員：須檢查閘道的公鑰。",
			"我們仍在核實您的付款，再次付款前請洽收銀員。",
		},
		payment.ReasonAnswerMalformed: {
			"無法讀懂支付閘道的回覆，因此不算數。請先不要再次收款：終端機會繼續查詢並顯示結果。",
			"我們仍在核實您的付款，再次付款前請洽收銀員。",
		},
		payment.ReasonAnswerMismatch: {
			"支付閘道的回覆與本交易的訂單、金額或幣別不符。請先不要再次收款，並通知管理員：須在閘道後台核對訂單。",
			"我們仍在核實您的付款，再次付款前請洽收銀員。",
		},
		payment.ReasonGatewayError: {
			"支付閘道本身發生問題，沒有給出結果。請先不要再次收款：終端機會繼續查詢並顯示結果。",
			"我們仍在核實您的付款，再次付款前請洽收銀員。",
		},
		payment.ReasonRateLimited: {
			"支付閘道要求放慢請求，沒有給出結果。請先不要再次收款：終端機會繼續查詢並顯示結果。",
			"我們仍在核實您的付款，再次付款前請洽收銀員。",
		},
		payment.ReasonNotFound: {
			"支付閘道目前查不到此訂單。在終端機顯示交易結果之前，請不要再次收款。",
			"我們仍在核實您的付款，再次付款前請洽收銀員。",
		},
	},
}
