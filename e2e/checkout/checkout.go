// Package checkout knows where the plugin's source is, and lays it out the way Traefik and Yaegi want to find it:
// under src/<module path> of a GOPATH.
package checkout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Module is the module path of the plugin.
const Module = "github.com/latchkey-auth/latchkey"

// Root is the directory of the plugin's go.mod, found upwards from the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if line, _, _ := strings.Cut(string(mod), "\n"); strings.TrimSpace(line) == "module "+Module {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("find checkout: no go.mod of %q above the working directory", Module)
		}
		dir = parent
	}
}

// Link makes base/src/<Module> a symbolic link to source, so that base serves as a GOPATH.
// The sources stay where they are: an edit is seen by whatever is started next.
func Link(base, source string) error { return LinkAs(base, Module, source) }

// LinkAs is Link for another module.
func LinkAs(base, module, source string) error {
	link := filepath.Join(base, "src", filepath.FromSlash(module))
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return err
	}
	return os.Symlink(source, link)
}
