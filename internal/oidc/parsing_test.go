package oidc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// Quotes that are escaped in what was sent, and not where it is written again,
// do not make up for those of a member that comes twice.
func TestDuplicatesBehindEscapes(t *testing.T) {
	op, p, _ := start(t)
	for _, extra := range []string{
		`"sub":"b","x":"\u0022\u0022\u0022\u0022"`, `"sub":"b","x":"\u0022\u0022","y":"\u0022\u0022"`, `"\u0073ub":"b","x":"\u0022\u0022\u0022\u0022"`,
		`"x":{"\u0022":1,"a":1,"a":2}`,
	} {
		claims := fmt.Sprintf(`{"iss":%q,"sub":"a","aud":%q,"exp":1700000300,%s}`, op.Issuer(), oidctest.Audience, extra)
		raw := op.SignText("RS256", `{"alg":"RS256","typ":"at+jwt"}`, claims)
		if err := access(p, raw); err == nil || !strings.Contains(err.Error(), "a member twice") {
			t.Errorf("%s: found error %v", extra, err)
		}
	}
}
