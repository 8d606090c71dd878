package harness

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
	"github.com/latchkey-auth/latchkey/e2e/process"
)

const traefikCommand = "github.com/traefik/traefik/v3/cmd/traefik"

// traefikBinary is the path of the Traefik built from e2e/tools/traefik. It is built when there is none,
// or when the version asked for changed since.
func traefikBinary() (string, error) {
	root, err := checkout.Root()
	if err != nil {
		return "", err
	}
	source := filepath.Join(root, "e2e", "tools", "traefik")
	bin := filepath.Join(root, "e2e", ".bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(bin, "traefik.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()

	binary, stamp := filepath.Join(bin, "traefik"), filepath.Join(bin, "traefik.sum")
	want, err := fingerprint(filepath.Join(source, "go.sum"))
	if err != nil {
		return "", err
	}
	have, err := os.ReadFile(stamp)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if _, err := os.Stat(binary); err == nil && string(have) == want {
		return binary, nil
	}
	if err := buildTraefik(source, binary); err != nil {
		return "", err
	}
	return binary, os.WriteFile(stamp, []byte(want), 0o644)
}

// buildTraefik compiles Traefik, and says on standard error how far it has come.
func buildTraefik(source, binary string) error {
	fmt.Fprintln(os.Stderr, "building Traefik: the first time takes about 6 minutes, later ones reuse Go's build cache")
	cmd := exec.Command("go", "build", "-v", "-ldflags=-s -w", "-o", binary, traefikCommand)
	cmd.Dir = source
	stderr, write := io.Pipe()
	cmd.Stderr = write
	p, err := process.Start(cmd)
	if err != nil {
		return fmt.Errorf("build Traefik: %w", err)
	}
	go func() {
		<-p.Done()
		write.Close()
	}()
	began := time.Now()
	failure := report(stderr, began)
	if err := p.Wait(); err != nil {
		return fmt.Errorf("build Traefik: %w\n%s", err, failure)
	}
	fmt.Fprintf(os.Stderr, "built Traefik in %.0fs\n", time.Since(began).Seconds())
	return nil
}

// report counts the packages that go build names, and returns the lines that name none.
func report(stderr io.Reader, began time.Time) string {
	var failure strings.Builder
	packages, said := 0, began
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if line := lines.Text(); strings.ContainsAny(line, " :") {
			failure.WriteString(line + "\n")
			continue
		}
		packages++
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			fmt.Fprintf(os.Stderr, "building Traefik: %d packages compiled in %.0fs\n", packages, time.Since(began).Seconds())
		}
	}
	return failure.String()
}

func fingerprint(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// lock waits until no other process holds the file.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
