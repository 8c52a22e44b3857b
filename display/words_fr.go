package display //nolint:dupl // a catalogue is alike in every language

import "payscand/payment"

var french = words{
	screens: map[Kind]ScreenWords{
		KindIdle:       {"Bienvenue", "Votre total s’affichera ici."},
		KindAmount:     {"Veuillez présenter votre code de paiement", "Ouvrez votre application et placez le code devant le lecteur."},
		KindQR:         {"Balayez pour payer", "Balayez ce code avec votre application de paiement."},
		KindProcessing: {"Veuillez consulter votre téléphone", "Si votre application le demande, confirmez-y le paiement."},
		KindWait:       {"Un instant, s’il vous plaît", "Nous sommes à vous tout de suite."},
		KindUnresolved: {"Veuillez vous adresser à la caisse", "Nous vérifions encore ce paiement."},
		KindAskCashier: {"Veuillez vous adresser à la caisse", "Le personnel de la caisse vous aidera."},
		KindApproved:   {"Paiement approuvé", "Merci!"},
		KindDeclined:   {Title: "Paiement non effectué"},
		KindCancelled:  {"Paiement annulé", "Le personnel de la caisse vous aidera."},
		KindOutOfOrder: {"Hors service", "Demandez à la caisse comment payer."},
	},
	offline:  ScreenWords{"Veuillez patienter", "Nous serons de retour dans un instant."},
	timeLeft: "Temps restant",
	reasons: map[payment.Reason]ReasonWords{
		payment.ReasonInsufficientFunds: {
			"Le portefeuille n’a pas pu couvrir ce montant. Demandez au client de choisir une autre carte ou un autre solde dans l’application, puis balayez un nouveau code.",
			"Votre portefeuille n’a pas pu couvrir ce montant. Veuillez choisir une autre carte ou un autre solde.",
		},
		payment.ReasonDeclined: {
			"Le portefeuille a refusé le paiement. Demandez au client de consulter son application, puis balayez un nouveau code ou acceptez un autre mode de paiement.",
			"Votre portefeuille n’a pas approuvé le paiement. Veuillez consulter votre application ou payer autrement.",
		},
		payment.ReasonAmountLimit: {
			"Le montant dépasse une limite du portefeuille du client. Demandez au client de relever la limite dans l’application ou d’utiliser un autre portefeuille, ou divisez la vente, puis balayez un nouveau code.",
			"Ce montant dépasse la limite de votre portefeuille. Veuillez utiliser un autre portefeuille ou payer autrement.",
		},
		payment.ReasonCountLimit: {
			"Le portefeuille du client n’accepte plus de paiements pour le moment. Demandez au client d’utiliser un autre portefeuille ou un autre mode de paiement.",
			"Votre portefeuille n’accepte plus de paiements pour le moment. Veuillez payer autrement.",
		},
		payment.ReasonMethodUnavailable: {
			"Le portefeuille du client ne peut pas payer ici avec le moyen choisi. Demandez au client de choisir une autre carte ou un autre solde, ou d’utiliser un autre portefeuille.",
			"Ce moyen de paiement n’est pas offert dans votre portefeuille. Veuillez en choisir un autre ou payer autrement.",
		},
		payment.ReasonWalletAccount: {
			"Le portefeuille demande au client de régler quelque chose dans son compte, comme une preuve d’identité. Demandez au client d’ouvrir l’application ou d’utiliser un autre mode de paiement.",
			"Votre portefeuille a besoin de votre attention. Veuillez ouvrir votre application ou payer autrement.",
		},
		payment.ReasonNotVerified: {
			"Le client n’a pas réussi la vérification du portefeuille (NIP, mot de passe ou autre). Rien n’a été débité : demandez un nouveau code au client et balayez-le.",
			"Le paiement n’a pas été confirmé dans votre application. Veuillez présenter un nouveau code.",
		},
		payment.ReasonInvalidCode: {
			"Le portefeuille ne reconnaît pas ce code. Demandez au client d’ouvrir son code de paiement dans l’application, puis balayez-le de nouveau.",
			"Nous n’avons pas pu utiliser ce code. Veuillez rouvrir le code de paiement dans votre application.",
		},
		payment.ReasonExpiredCode: {
			"Le code était périmé ou déjà utilisé. Demandez au client de l’actualiser dans l’application, puis balayez le nouveau code.",
			"Ce code n’est plus valide. Veuillez l’actualiser dans votre application et le présenter de nouveau.",
		},
		payment.ReasonNotPaidInTime: {
			"Le client n’a pas payé à temps et la commande est fermée. Balayez un nouveau code ou commencez une nouvelle vente.",
			"Le délai de paiement est écoulé. Veuillez réessayer.",
		},
		payment.ReasonCancelled: {
			"Le paiement a été annulé auprès de la passerelle. Balayez un nouveau code pour continuer ou commencez une nouvelle vente.",
			"Le paiement a été annulé.",
		},
		payment.ReasonQRNotShown: {
			"Le code QR n’a pas pu être obtenu et personne ne l’a vu; il ne peut donc pas être payé. Balayez le code du client ou redemandez un code QR.",
			"Le code QR n’est pas disponible pour le moment. Veuillez présenter votre propre code de paiement.",
		},
		payment.ReasonAbsent: {
			"La passerelle n’a jamais reçu cette commande; rien n’a donc été débité. Balayez un nouveau code ou commencez une nouvelle vente.",
			"Aucun paiement ne nous est parvenu. Veuillez réessayer.",
		},
		payment.ReasonOverridden: {
			"Une personne a décidé de l’issue de cette vente; la passerelle ne l’avait pas donnée. Le terminal continue de vérifier et l’affichera si la vérité est autre.",
			"Le commerce a réglé la question de ce paiement. Veuillez vous adresser à la caisse au besoin.",
		},
		payment.ReasonScanDamaged: {
			"Ce qui a été balayé est arrivé incomplet; rien n’a été envoyé. Balayez le code à nouveau; si cela se répète, l’état du terminal indique quoi corriger sur le lecteur.",
			"Nous n’avons pas pu lire ce code. Veuillez tenir votre téléphone immobile et le présenter à nouveau.",
		},
		payment.ReasonNotEnoughBalance: {
			"Le solde du commerce auprès de la passerelle ne couvre pas ce remboursement. Avisez le soutien technique, qui peut l’approvisionner. Ne rendez l’argent autrement qu’une fois ce remboursement échoué.",
			"Votre remboursement n’est pas possible pour le moment. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonAlreadyRefunded: {
			"La passerelle a déjà remboursé ce paiement en entier. Ne le remboursez pas de nouveau : comparez la commande dans le portail de la passerelle.",
			"Ce paiement a déjà été remboursé. Veuillez consulter votre application.",
		},
		payment.ReasonRefundTooLate: {
			"La passerelle ne rembourse plus ce paiement : le délai est écoulé. Une fois ce remboursement échoué, rendez l’argent autrement.",
			"Un remboursement dans votre application n’est plus possible. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonRefundInProcess: {
			"Un autre remboursement de ce paiement est en cours auprès de la passerelle; celui-ci n’a pas été accepté. Ne remboursez de nouveau qu’une fois celui-ci échoué et l’autre terminé.",
			"Un autre remboursement de ce paiement est en cours. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonRefundInReview: {
			"La passerelle examine ce remboursement avant de rendre l’argent. Ne le rendez pas autrement : le terminal continue de vérifier et affichera le résultat.",
			"Votre remboursement est à l’étude. Cela peut prendre quelques jours.",
		},
		payment.ReasonRefundAmount: {
			"La passerelle refuse ce montant : il dépasse ce qui reste du paiement. Comparez la commande dans le portail de la passerelle avant de rendre l’argent autrement.",
			"Votre remboursement n’est pas possible pour le moment. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonRefundFailed: {
			"La passerelle n’a pas pu faire ce remboursement. Une fois qu’il a échoué ici, remboursez de nouveau ou rendez l’argent autrement.",
			"Votre remboursement n’est pas possible pour le moment. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonRefundUnproved: {
			"Depuis un mois, aucune trace de ce remboursement n’a été trouvée; le terminal a cessé de chercher et le montant reste réservé. Comparez le paiement dans le portail de la passerelle : on ne voit que là si l’argent a été rendu.",
			"Nous vérifions encore votre remboursement. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonBadSignature: {
			"La passerelle a refusé notre signature. Acceptez un autre mode de paiement et avisez le soutien technique : la clé privée doit correspondre à celle qui est enregistrée auprès de la passerelle.",
			"Ce mode de paiement n’est pas disponible pour le moment. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonUnknownMerchant: {
			"La passerelle ne connaît pas ce commerçant. Acceptez un autre mode de paiement et avisez le soutien technique : le code de commerçant ou l’identifiant client doit être corrigé dans la configuration.",
			"Ce mode de paiement n’est pas disponible pour le moment. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonClockWrong: {
			"La passerelle a refusé l’heure de la demande. Acceptez un autre mode de paiement et avisez le soutien technique : l’horloge de ce poste doit être mise à l’heure.",
			"Ce mode de paiement n’est pas disponible pour le moment. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonRequestRefused: {
			"La passerelle a refusé la demande. Acceptez un autre mode de paiement et donnez le code de la passerelle au soutien technique : la configuration ne correspond pas au contrat.",
			"Ce mode de paiement n’est pas disponible pour le moment. Veuillez vous adresser à la caisse.",
		},
		payment.ReasonNotPermitted: {
			"Le contrat du commerce ne permet pas ce paiement. Acceptez un autre mode de paiement et avisez le soutien technique, qui peut demander l’autorisation à la passerelle.",
			"Ce mode de paiement n’est pas accepté ici. Veuillez payer autrement.",
		},
		payment.ReasonGatewayUnreachable: {
			"La passerelle n’a pas pu être jointe et rien n’a été envoyé; rien n’a donc été débité. Vérifiez le réseau, puis balayez un nouveau code ou acceptez un autre mode de paiement.",
			"Nous n’avons pas de connexion pour le moment. Veuillez patienter un instant ou payer autrement.",
		},
		payment.ReasonNoAnswer: {
			"La passerelle n’a pas répondu; on ne sait pas si le paiement a été fait. N’encaissez pas de nouveau pour l’instant : le terminal continue de vérifier et affichera le résultat.",
			"Nous vérifions encore votre paiement. Veuillez vous adresser à la caisse avant de payer de nouveau.",
		},
		payment.ReasonAnswerUnverified: {
			"La réponse de la passerelle n’a pas pu être authentifiée; elle ne compte donc pas. N’encaissez pas de nouveau pour l’instant. Si le problème persiste, avisez le soutien technique : la clé publique de la passerelle doit être vérifiée.",
			"Nous vérifions encore votre paiement. Veuillez vous adresser à la caisse avant de payer de nouveau.",
		},
		payment.ReasonAnswerMalformed: {
			"La réponse de la passerelle est illisible; elle ne compte donc pas. N’encaissez pas de nouveau pour l’instant : le terminal continue de vérifier et affichera le résultat.",
			"Nous vérifions encore votre paiement. Veuillez vous adresser à la caisse avant de payer de nouveau.",
		},
		payment.ReasonAnswerMismatch: {
			"La réponse de la passerelle ne correspond pas à la commande, au montant ou à la devise de cette vente. N’encaissez pas de nouveau pour l’instant et avisez le soutien technique : la commande doit être comparée dans le portail de la passerelle.",
			"Nous vérifions encore votre paiement. Veuillez vous adresser à la caisse avant de payer de nouveau.",
		},
		payment.ReasonGatewayError: {
			"La passerelle éprouve des difficultés et n’a donné aucun résultat. N’encaissez pas de nouveau pour l’instant : le terminal continue de vérifier et affichera le résultat.",
			"Nous vérifions encore votre paiement. Veuillez vous adresser à la caisse avant de payer de nouveau.",
		},
		payment.ReasonRateLimited: {
			"La passerelle nous demande de ralentir et n’a donné aucun résultat. N’encaissez pas de nouveau pour l’instant : le terminal continue de vérifier et affichera le résultat.",
			"Nous vérifions encore votre paiement. Veuillez vous adresser à la caisse avant de payer de nouveau.",
		},
		payment.ReasonNotFound: {
			"La passerelle ne connaît pas cette commande pour le moment. N’encaissez pas de nouveau avant que le terminal indique l’issue de la vente.",
			"Nous vérifions encore votre paiement. Veuillez vous adresser à la caisse avant de payer de nouveau.",
		},
	},
}
