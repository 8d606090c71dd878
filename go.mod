module github.com/latchkey-auth/latchkey

go 1.22.0

require (
	github.com/golang-jwt/jwt/v5 v5.3.1
	github.com/traefik/paerser v0.2.2
)
