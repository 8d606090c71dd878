module github.com/latchkey-auth/latchkey/cmd/latchkey

go 1.26.4

require (
	github.com/BurntSushi/toml v1.6.0
	github.com/latchkey-auth/latchkey v0.0.0
	github.com/mitchellh/mapstructure v1.5.1-0.20231216201459-8508981c8b6c
	github.com/spf13/cobra v1.10.2
	github.com/traefik/paerser v0.2.2
	gopkg.in/yaml.v3 v3.0.1
)

require (
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
)

replace github.com/latchkey-auth/latchkey => ../..
