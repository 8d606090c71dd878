package latchkey

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/internal/wait"
)

// secretCheck is how often a secret's file is looked at.
const secretCheck = 5 * time.Second

// maxSettingFile bounds the file of a setting: a secret, or certificates.
const maxSettingFile = 1 << 20

// secret is the value of a setting that may stand in the environment (env:NAME)
// or in a file (file:/path), which is read again and again: a file may change and
// keep its size and its time.
//
// A file is looked at by a goroutine of its own, and never by a request: one on a
// network that does not answer holds up nobody.
type secret struct {
	path   string
	report func(error) // told once when the file cannot be read any more; nil: nobody

	reading sync.Mutex // held by whoever looks at the file
	failing bool

	mu    sync.Mutex
	value string
}

// openSecret reads the value; an empty setting is a nil secret. Errors name
// the source, never the value.
func openSecret(setting string) (*secret, error) {
	source, name, _ := strings.Cut(setting, ":")
	switch {
	case setting == "":
		return nil, nil
	case source == "env":
		value := trimSecret(os.Getenv(name))
		if value == "" {
			return nil, fmt.Errorf("the environment variable %q is not set", name)
		}
		s := &secret{value: value}
		err := unresolved(value)
		return s, err
	case source == "file":
		s := &secret{path: name}
		err := s.read()
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	s := &secret{value: trimSecret(setting)}
	err := unresolved(s.value)
	return s, err
}

// trimSecret drops what editors and shells put around a text: white space, and a
// byte-order mark.
func trimSecret(text string) string {
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "\ufeff"))
}

// references are how one reads that nobody has looked up: with whatever quotes,
// brackets or blanks stand around its scheme, and that of Kubernetes anywhere.
var references = regexp.MustCompile(`(?i)^[^\pL\pN]*(urn|file|env)[^\pL\pN:]*(?::|\x{ff1a}|%3a)|\b(urn):k8s:`)

// unresolved is an error for what stands for a secret and is none: a reference
// that nobody has looked up. Everybody could write it.
func unresolved(value string) error {
	found := references.FindStringSubmatch(value)
	if found == nil {
		return nil
	}
	scheme := found[1] + found[2]
	switch strings.ToLower(scheme) {
	case "urn":
		return fmt.Errorf("begins with %q, a reference that was not looked up: Traefik does so with urn:k8s:secret:NAME:KEY, in small letters, in Kubernetes resources only; write file:/path or env:NAME", scheme+":")
	case "file":
		return fmt.Errorf("begins with %q; write file:/path, in small letters and once", scheme+":")
	case "env":
		return fmt.Errorf("begins with %q; write env:NAME, in small letters and once", scheme+":")
	}
	return nil
}

// get returns the value. A file that cannot be read any more leaves the last
// value in force.
func (s *secret) get() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value
}

// watch looks at the file until ctx ends.
func (s *secret) watch(ctx context.Context) {
	for wait.Pause(ctx, secretCheck) == nil {
		s.look()
	}
}

// look reads the file anew.
func (s *secret) look() {
	defer func() {
		// A panic in a goroutine would end the whole of Traefik.
		_ = recover()
	}()
	err := s.read()
	s.reading.Lock()
	first := err != nil && !s.failing
	s.failing = err != nil
	s.reading.Unlock()
	if first && s.report != nil {
		s.report(err)
	}
}

func (s *secret) read() error {
	s.reading.Lock()
	defer s.reading.Unlock()
	content, err := readSetting(s.path)
	if err != nil {
		return fmt.Errorf("read secret: %w", err)
	}
	value := trimSecret(string(content))
	if value == "" {
		return fmt.Errorf("read secret: the file %q is empty", s.path)
	}
	if err := unresolved(value); err != nil {
		return fmt.Errorf("read secret: the file %q %w", s.path, err)
	}
	s.mu.Lock()
	s.value = value
	s.mu.Unlock()
	return nil
}

// readSetting reads the file of a setting. A pipe would be waited for, and a device
// may have no end.
func readSetting(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is no regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxSettingFile+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxSettingFile {
		return nil, fmt.Errorf("%q has more than %d bytes", path, maxSettingFile)
	}
	return content, nil
}

// watchSecrets has the files of secrets looked at. Middlewares share them, and a
// reload goes on with what is known; it reads them anew.
func (l *Latchkey) watchSecrets(ctx context.Context) {
	l.set.clientSecret = l.watched(ctx, l.set.clientSecret)
	l.set.redis.password = l.watched(ctx, l.set.redis.password)
	for i := range l.set.keys.secrets {
		l.set.keys.secrets[i] = l.watched(ctx, l.set.keys.secrets[i])
	}
}

func (l *Latchkey) watched(ctx context.Context, s *secret) *secret {
	if s == nil || s.path == "" {
		return s
	}
	log := l.log
	shared := resources.use(ctx, fingerprint("secret file", s.path), func() (interface{}, func()) {
		s.report = func(err error) { log.warn("the last value of a secret stays in force", "error", err.Error()) }
		until, stop := context.WithCancel(context.Background())
		go s.watch(until)
		return s, func() { stop() }
	}).(*secret)
	if shared != s {
		shared.look()
	}
	return shared
}
