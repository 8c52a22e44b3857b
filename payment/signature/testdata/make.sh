#!/bin/sh
# Makes the test vectors of this folder with the openssl command alone.
# The keys are for these tests only. Run it here; it overwrites everything.
set -eu
cd "$(dirname "$0")"

openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out private.pkcs8.pem
openssl rsa -in private.pkcs8.pem -traditional -out private.pkcs1.pem
openssl pkcs8 -topk8 -nocrypt -in private.pkcs8.pem -outform DER | base64 -w 0 >private.pkcs8.base64
openssl rsa -in private.pkcs8.pem -traditional -outform DER | base64 -w 64 >private.pkcs1.base64
openssl pkcs8 -topk8 -in private.pkcs8.pem -passout pass:secret -out private.encrypted.pem
openssl rsa -in private.pkcs8.pem -pubout -out public.pem
openssl rsa -in private.pkcs8.pem -pubout -outform DER | base64 -w 0 >public.base64
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out short.pem
openssl rsa -in short.pem -pubout -out short.public.pem
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem
openssl pkey -in ec.pem -pubout -out ec.public.pem
openssl req -x509 -key private.pkcs8.pem -subj /CN=test -days 1 -out certificate.pem

printf 'POST /api/v2.0/payments/pay\nM0001.2019-05-28T12:12:12+08:00.0123456789abcdef0123456789abcdef.{"order":{"description":"caf\303\251 \345\222\226\345\225\241"}}' >alphapay.content
printf 'POST /aps/api/v1/payments/pay\nSANDBOX_5YEW.2021-04-21T01:47:04Z.{"paymentRequestId":"1"}\n' >alipayplus.content
printf 'POST /api/v2.0/payments/cancel\nM0001.2019-05-28T12:12:12+08:00.0123456789abcdef0123456789abcdef.' >empty-body.content
printf 'POST /\nM.t.n.\000\377\r\n+ %%2B' >binary.content
for vector in alphapay alipayplus empty-body binary; do
	openssl dgst -sha256 -sign private.pkcs8.pem "$vector.content" | base64 -w 0 >"$vector.signature"
done
