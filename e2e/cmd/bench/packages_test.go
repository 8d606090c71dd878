package main

import (
	"regexp"
	"testing"
)

func TestRowsThatNeedRedis(t *testing.T) {
	for only, want := range map[string]bool{
		"":              true,
		"^bearer$":      false,
		"session$":      false,
		"revoking":      false,
		"^start$":       false,
		"^api-":         false,
		"session-redis": true,
		"empty-id":      true,
		"storm-cookie":  true,
		"lag$":          true,
	} {
		o := options{identities: 1000, routers: 200, apiTokens: 1000, only: regexp.MustCompile(only)}
		if got := o.needsRedis(); got != want {
			t.Errorf("-only %q needs Redis: %v, want %v", only, got, want)
		}
	}
}
