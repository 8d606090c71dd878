package oidc

import (
	"testing"
	"time"
)

// These are promised to people, or keep promises of the same kind in other places.
// Elsewhere in the tests a bound is called by its name, and would follow a slip of
// the finger; here it is written out.
func TestNumbers(t *testing.T) {
	for name, c := range map[string]struct{ got, want interface{} }{
		"a document is not even renewed":        {freshFor, 10 * time.Minute},
		"a document is stood on":                {goodFor, 24 * time.Hour},
		"a failed fetch is tried again after":   {retry, 2 * time.Second},
		"made-up kids cost one fetch in":        {unknownKidPause, 10 * time.Second},
		"a provider that answered is there for": {reachAge, time.Second},
		"a fetch without a client's time-out":   {defaultTimeout, 10 * time.Second},
		"clocks may differ by":                  {leeway, 60 * time.Second},
		"a logout token's age":                  {maxLogoutAge, 10 * time.Minute},
		"a logout token's jti":                  {maxLogoutID, 256},
		"a sub":                                 {maxSubject, 255},
		"keys of a set":                         {maxKeys, 100},
		"a token":                               {maxToken, 16384},
		"a document":                            {maxBody, 1048576},
		"the end of time":                       {maxSeconds, 253402300799},
		"an RSA key, at least":                  {minRSABits, 2048},
		"an RSA key, at most":                   {maxRSABits, 16384},
		"depth of an object":                    {maxDepth, 32},
		"members of an object":                  {maxMembers, 256},
		"headers that are remembered":           {maxMemo, 256},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}
