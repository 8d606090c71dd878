package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/c2sp/wycheproof"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
	"github.com/latchkey-auth/latchkey/e2e/process"
)

var vectorsTried = regexp.MustCompile(`(?m)json_web_(?:signature|key)_test\.json: \d+ vectors, \d+ taken$`)

// The vectors of C2SP/wycheproof for JWS and JWK. They go through internal/oidc's own test, since the layer that they
// are for cannot be reached from outside: see there. It is run compiled, and interpreted as Traefik does.
func TestWycheproof(t *testing.T) {
	t.Parallel()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"json_web_signature_test.json", "json_web_key_test.json"} {
		vectors, err := fs.ReadFile(wycheproof.TestVectors, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), vectors, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, dir string
		args      []string
	}{
		{"compiled", root, []string{"test", "-count=1", "-v", "-run", "^TestWycheproof$", "./internal/oidc"}},
		{"interpreted", filepath.Join(root, "e2e"), []string{"run", "./cmd/interpreted", "-v", "-run", "^TestWycheproof$", "./internal/oidc"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command("go", test.args...)
			cmd.Dir = test.dir
			cmd.Env = append(os.Environ(), "LATCHKEY_WYCHEPROOF="+dir)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := process.Run(cmd); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			lines := vectorsTried.FindAllString(out.String(), -1)
			if len(lines) != 2 {
				t.Fatalf("not both files were tried:\n%s", out.String())
			}
			t.Log(lines)
		})
	}
}
