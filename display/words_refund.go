package display

import "payscand/payment"

// refundWords are the words for reasons that a payment may have too, where a
// refund has them: what the cashier must do is another thing then.
var refundWords = map[Language]map[payment.Reason]ReasonWords{
	English: {
		payment.ReasonNoAnswer: {
			"The gateway has not answered, so this refund may or may not have been made. Do not give the money back another way: the terminal keeps checking and will show the result.",
			"We are still checking your refund. Please ask the cashier.",
		},
		payment.ReasonAnswerUnverified: {
			"The gateway's answer about this refund could not be verified, so it was not counted. Do not give the money back another way. If this goes on, tell the operator: the gateway's public key must be checked.",
			"We are still checking your refund. Please ask the cashier.",
		},
		payment.ReasonAnswerMalformed: {
			"The gateway's answer about this refund could not be read, so it was not counted. Do not give the money back another way: the terminal keeps checking and will show the result.",
			"We are still checking your refund. Please ask the cashier.",
		},
		payment.ReasonAnswerMismatch: {
			"The gateway's answer does not match this refund or its amount. Do not give the money back another way, and tell the operator: compare the refund in the gateway's portal.",
			"We are still checking your refund. Please ask the cashier.",
		},
		payment.ReasonGatewayError: {
			"The gateway has trouble of its own and did not say what became of this refund. Do not give the money back another way: the terminal keeps checking and will show the result.",
			"We are still checking your refund. Please ask the cashier.",
		},
		payment.ReasonRateLimited: {
			"The gateway asks us to slow down and did not say what became of this refund. Do not give the money back another way: the terminal keeps checking and will show the result.",
			"We are still checking your refund. Please ask the cashier.",
		},
		payment.ReasonNotFound: {
			"The gateway does not know the payment of this refund, or shows it to nobody now. Tell the operator: compare the payment in the gateway's portal before you give money back another way.",
			"We are still checking your refund. Please ask the cashier.",
		},
		payment.ReasonGatewayUnreachable: {
			"The gateway could not be reached and this request was not sent. If the refund has failed here, nothing was given back by it: check the network, then refund again.",
			"Your refund is not possible right now. Please ask the cashier.",
		},
		payment.ReasonBadSignature: {
			"The gateway refused our signature and took no refund by this request. Tell the operator: the private key must match the one registered with the gateway.",
			"Your refund is not possible right now. Please ask the cashier.",
		},
		payment.ReasonUnknownMerchant: {
			"The gateway does not know this merchant and took no refund by this request. Tell the operator: the merchant code or client id in the configuration must be corrected.",
			"Your refund is not possible right now. Please ask the cashier.",
		},
		payment.ReasonClockWrong: {
			"The gateway refused the time of the request and took no refund by it. Tell the operator: this machine's clock must be set right, then refund again.",
			"Your refund is not possible right now. Please ask the cashier.",
		},
		payment.ReasonRequestRefused: {
			"The gateway refused this refund's request. Give the operator the gateway's code: the configuration does not fit the contract.",
			"Your refund is not possible right now. Please ask the cashier.",
		},
		payment.ReasonNotPermitted: {
			"The shop's contract does not allow refunds by this terminal. Tell the operator, who can ask the gateway to permit them.",
			"Your refund is not possible right now. Please ask the cashier.",
		},
	},
	French: {
		payment.ReasonNoAnswer: {
			"La passerelle n’a pas répondu; on ne sait pas si ce remboursement a été fait. Ne rendez pas l’argent autrement : le terminal continue de vérifier et affichera le résultat.",
			"Nous vérifions encore votre remboursement. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonAnswerUnverified: {
			"La réponse de la passerelle au sujet de ce remboursement n’a pas pu être authentifiée; elle ne compte donc pas. Ne rendez pas l’argent autrement. Si le problème persiste, avisez le soutien technique : la clé publique de la passerelle doit être vérifiée.",
			"Nous vérifions encore votre remboursement. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonAnswerMalformed: {
			"La réponse de la passerelle au sujet de ce remboursement est illisible; elle ne compte donc pas. Ne rendez pas l’argent autrement : le terminal continue de vérifier et affichera le résultat.",
			"Nous vérifions encore votre remboursement. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonAnswerMismatch: {
			"La réponse de la passerelle ne correspond pas à ce remboursement ou à son montant. Ne rendez pas l’argent autrement et avisez le soutien technique : le remboursement doit être comparé dans le portail de la passerelle.",
			"Nous vérifions encore votre remboursement. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonGatewayError: {
			"La passerelle éprouve des difficultés et n’a pas dit ce qu’il en est de ce remboursement. Ne rendez pas l’argent autrement : le terminal continue de vérifier et affichera le résultat.",
			"Nous vérifions encore votre remboursement. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonRateLimited: {
			"La passerelle nous demande de ralentir et n’a pas dit ce qu’il en est de ce remboursement. Ne rendez pas l’argent autrement : le terminal continue de vérifier et affichera le résultat.",
			"Nous vérifions encore votre remboursement. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonNotFound: {
			"La passerelle ne connaît pas le paiement de ce remboursement, ou ne le montre pas pour le moment. Avisez le soutien technique : le paiement doit être comparé dans le portail de la passerelle avant de rendre l’argent autrement.",
			"Nous vérifions encore votre remboursement. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonGatewayUnreachable: {
			"La passerelle n’a pas pu être jointe et cette demande n’a pas été envoyée. Si le remboursement a échoué ici, il n’a rien rendu : vérifiez le réseau, puis remboursez de nouveau.",
			"Le remboursement n’est pas possible pour le moment. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonBadSignature: {
			"La passerelle a refusé notre signature et n’a pris aucun remboursement par cette demande. Avisez le soutien technique : la clé privée doit être celle qui est enregistrée auprès de la passerelle.",
			"Le remboursement n’est pas possible pour le moment. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonUnknownMerchant: {
			"La passerelle ne connaît pas ce commerçant et n’a pris aucun remboursement par cette demande. Avisez le soutien technique : le code de commerçant ou l’identifiant de client doit être corrigé dans la configuration.",
			"Le remboursement n’est pas possible pour le moment. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonClockWrong: {
			"La passerelle a refusé l’heure de la demande et n’a pris aucun remboursement par elle. Avisez le soutien technique : l’horloge de ce poste doit être mise à l’heure; remboursez ensuite de nouveau.",
			"Le remboursement n’est pas possible pour le moment. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonRequestRefused: {
			"La passerelle a refusé la demande de ce remboursement. Donnez le code de la passerelle au soutien technique : la configuration ne correspond pas au contrat.",
			"Le remboursement n’est pas possible pour le moment. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonNotPermitted: {
			"Le contrat du commerce ne permet pas de remboursement par ce terminal. Avisez le soutien technique, qui peut demander l’autorisation à la passerelle.",
			"Le remboursement n’est pas possible pour le moment. Veuillez vous adresser à la caisse.",
		},
	},
	SimplifiedChinese: {
		payment.ReasonNoAnswer: {
			"支付网关没有答复，尚不清楚这笔退款是否已完成。请不要用其他方式退款：终端会继续查询并显示结果。",
			"我们仍在核实您的退款，请咨询收银员。",
		},
		payment.ReasonAnswerUnverified: {
			"无法验证支付网关关于这笔退款的答复，因此不作数。请不要用其他方式退款。若一直如此，请通知管理员：须检查网关的公钥。",
			"我们仍在核实您的退款，请咨询收银员。",
		},
		payment.ReasonAnswerMalformed: {
			"无法读懂支付网关关于这笔退款的答复，因此不作数。请不要用其他方式退款：终端会继续查询并显示结果。",
			"我们仍在核实您的退款，请咨询收银员。",
		},
		payment.ReasonAnswerMismatch: {
			"支付网关的答复与这笔退款或其金额不符。请不要用其他方式退款，并通知管理员：须在网关后台核对退款。",
			"我们仍在核实您的退款，请咨询收银员。",
		},
		payment.ReasonGatewayError: {
			"支付网关自身出现问题，没有说明这笔退款的结果。请不要用其他方式退款：终端会继续查询并显示结果。",
			"我们仍在核实您的退款，请咨询收银员。",
		},
		payment.ReasonRateLimited: {
			"支付网关要求放慢请求，没有说明这笔退款的结果。请不要用其他方式退款：终端会继续查询并显示结果。",
			"我们仍在核实您的退款，请咨询收银员。",
		},
		payment.ReasonNotFound: {
			"支付网关查不到这笔退款对应的付款，或目前不显示。请通知管理员：用其他方式退款之前，须在网关后台核对付款。",
			"我们仍在核实您的退款，请咨询收银员。",
		},
		payment.ReasonGatewayUnreachable: {
			"无法连接支付网关，这次请求未发出。若退款在此显示失败，则没有退出款项：请检查网络，再重新退款。",
			"暂时无法退款，请咨询收银员。",
		},
		payment.ReasonBadSignature: {
			"支付网关拒绝了我们的签名，未受理这次退款请求。请通知管理员：私钥须与在网关登记的一致。",
			"暂时无法退款，请咨询收银员。",
		},
		payment.ReasonUnknownMerchant: {
			"支付网关不认识此商户，未受理这次退款请求。请通知管理员：须更正配置中的商户号或客户号。",
			"暂时无法退款，请咨询收银员。",
		},
		payment.ReasonClockWrong: {
			"支付网关拒绝了请求的时间，未受理这次退款请求。请通知管理员：须校准本机时钟，再重新退款。",
			"暂时无法退款，请咨询收银员。",
		},
		payment.ReasonRequestRefused: {
			"支付网关拒绝了这笔退款的请求。请将网关代码告知管理员：配置与合同不符。",
			"暂时无法退款，请咨询收银员。",
		},
		payment.ReasonNotPermitted: {
			"本店的合同不允许由此终端退款。请通知管理员，由其向支付网关申请开通。",
			"暂时无法退款，请咨询收银员。",
		},
	},
	TraditionalChinese: {
		payment.ReasonNoAnswer: {
			"支付閘道沒有答覆，尚不清楚這筆退款是否已完成。請不要用其他方式退款：終端機會繼續查詢並顯示結果。",
			"我們仍在核實您的退款，請洽詢收銀員。",
		},
		payment.ReasonAnswerUnverified: {
			"無法驗證支付閘道關於這筆退款的答覆，因此不算數。請不要用其他方式退款。若一直如此，請通知管理員：須檢查閘道的公鑰。",
			"我們仍在核實您的退款，請洽詢收銀員。",
		},
		payment.ReasonAnswerMalformed: {
			"無法讀懂支付閘道關於這筆退款的答覆，因此不算數。請不要用其他方式退款：終端機會繼續查詢並顯示結果。",
			"我們仍在核實您的退款，請洽詢收銀員。",
		},
		payment.ReasonAnswerMismatch: {
			"支付閘道的答覆與這筆退款或其金額不符。請不要用其他方式退款，並通知管理員：須在閘道後台核對退款。",
			"我們仍在核實您的退款，請洽詢收銀員。",
		},
		payment.ReasonGatewayError: {
			"支付閘道自身出現問題，沒有說明這筆退款的結果。請不要用其他方式退款：終端機會繼續查詢並顯示結果。",
			"我們仍在核實您的退款，請洽詢收銀員。",
		},
		payment.ReasonRateLimited: {
			"支付閘道要求放慢請求，沒有說明這筆退款的結果。請不要用其他方式退款：終端機會繼續查詢並顯示結果。",
			"我們仍在核實您的退款，請洽詢收銀員。",
		},
		payment.ReasonNotFound: {
			"支付閘道查不到這筆退款所屬的付款，或目前不顯示。請通知管理員：用其他方式退款之前，須在閘道後台核對付款。",
			"我們仍在核實您的退款，請洽詢收銀員。",
		},
		payment.ReasonGatewayUnreachable: {
			"無法連線支付閘道，這次請求未送出。若退款在此顯示失敗，則沒有退出款項：請檢查網路，再重新退款。",
			"暫時無法退款，請洽詢收銀員。",
		},
		payment.ReasonBadSignature: {
			"支付閘道拒絕了我們的簽章，未受理這次退款請求。請通知管理員：私鑰須與在閘道登記的一致。",
			"暫時無法退款，請洽詢收銀員。",
		},
		payment.ReasonUnknownMerchant: {
			"支付閘道不認識此商戶，未受理這次退款請求。請通知管理員：須更正設定中的商戶號或客戶號。",
			"暫時無法退款，請洽詢收銀員。",
		},
		payment.ReasonClockWrong: {
			"支付閘道拒絕了請求的時間，未受理這次退款請求。請通知管理員：須校準本機時鐘，再重新退款。",
			"暫時無法退款，請洽詢收銀員。",
		},
		payment.ReasonRequestRefused: {
			"支付閘道拒絕了這筆退款的請求。請將閘道代碼告知管理員：設定與合約不符。",
			"暫時無法退款，請洽詢收銀員。",
		},
		payment.ReasonNotPermitted: {
			"本店的合約不允許由此終端機退款。請通知管理員，由其向支付閘道申請開通。",
			"暫時無法退款，請洽詢收銀員。",
		},
	},
}
