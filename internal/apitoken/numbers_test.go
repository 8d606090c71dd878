package apitoken

import (
	"testing"
	"time"
)

// These are promised to people, or keep promises of the same kind in other places.
// Elsewhere in the tests a bound is called by its name, and would follow a slip of
// the finger; here it is written out.
func TestNumbers(t *testing.T) {
	for name, c := range map[string]struct{ got, want interface{} }{
		"the request that found the file changed waits": {patience, 20 * time.Millisecond},
		"a lock whose writer is dead":                   {deadAfter, 10 * time.Second},
		"a writer holds the lock":                       {holdFor, 8 * time.Second},
		"a writer waits":                                {writeWithin, 15 * time.Second},
		"a token file":                                  {maxFile, 67108864},
		"bytes of an id":                                {idBytes, 8},
		"bytes of a secret":                             {secretBytes, 16},
		"a token without an end is kept in Redis":       {forever, 10 * 365 * 24 * time.Hour},
		"a use is remembered":                           {usedFor, 400 * 24 * time.Hour},
		"a use is noted every so many seconds":          {usedEvery, 60},
		"a writer's lease":                              {leaseFor, 10 * time.Second},
		"of which it does not count on":                 {leaseMargin, 2 * time.Second},
		"an owner":                                      {maxOwner, 255},
		"a note":                                        {maxNote, 200},
		"scopes":                                        {maxScopes, 50},
		"a scope":                                       {maxScope, 100},
		"the file's version":                            {version, 1},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}
