package latchkey

import (
	"testing"
	"time"
)

// These are promised to people, or keep promises of the same kind in other places.
// Elsewhere in the tests a bound is called by its name, and would follow a slip of
// the finger; here it is written out.
func TestNumbers(t *testing.T) {
	for name, c := range map[string]struct{ got, want interface{} }{
		"a bad token is remembered":                              {negativeFor, 5 * time.Second},
		"a login may take":                                       {flowLifetime, 10 * time.Minute},
		"logins at once in one browser":                          {maxFlows, 5},
		"a failed refresh is tried again, in seconds":            {retryRefresh, 2},
		"a request waits for a refresh that it could do without": {refreshPatience, 3 * time.Second},
		"grants at once":                                         {maxGrants, 32},
		"the longest pause between grants that fail":             {lastBackOff, 30 * time.Second},
		"a lease outlasts its grant by":                          {leaseMargin, 5 * time.Second},
		"refreshed tokens are written again for":                 {keepEvery * keepTries, 100 * time.Second},
		"a result is shared again for":                           {shareEvery * shareTries, 10 * time.Second},
		"a secret's file is looked at every":                     {secretCheck, 5 * time.Second},
		"the shortest secret":                                    {minSecret, 32},
		"what is shared outlives its last user by":               {releaseAfter, 30 * time.Second},
		"a form counts once for":                                 {formLife, 24 * time.Hour},
		"the longest life that a form may ask for, in days":      {maxDays, 36500},
		"the longest grace of a rotation":                        {maxGrace, 7 * 24 * time.Hour},
		"a body of the API":                                      {maxAPIBody, 65536},
		"a form's body":                                          {maxForm, 65536},
		"a logout's body":                                        {maxLogoutBody, 65536},
		"a request's cookies":                                    {maxCookies, 65536},
		"a session's record":                                     {maxRecord, 262144},
		"a return target":                                        {maxReturnTarget, 2048},
		"a browser's name":                                       {maxAgent, 200},
		"sessions of a user":                                     {maxSessionsPerUser, 1000},
		"a record stays in front of Redis":                       {recentFor, 5 * time.Minute},
		"a token stays in front of Redis":                        {tokenRemembered, 5 * time.Minute},
		"a header that is remembered":                            {maxPassHeader, 8192},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}
