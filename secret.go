package latchkey

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-auth/latchkey/internal/delegation"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

// secretCheck is how often a secret's file is looked at.
const secretCheck = 5 * time.Second

// secret is the value of a setting that may stand in the environment (env:NAME)
// or in a file (file:/path), which is read again when it changes.
type secret struct {
	path string

	mu      sync.Mutex
	value   string
	stamp   string // modification time and size of the file when it was read
	checked time.Time
	failing bool
	report  func(error) // told once when the file cannot be read any more; nil: nobody
}

// openSecret reads the value; an empty setting is a nil secret. Errors name
// the source, never the value.
func openSecret(setting string) (*secret, error) {
	switch {
	case setting == "":
		return nil, nil
	case strings.HasPrefix(setting, "env:"):
		name := strings.TrimPrefix(setting, "env:")
		value := strings.TrimSpace(os.Getenv(name))
		if value == "" {
			return nil, fmt.Errorf("the environment variable %q is not set", name)
		}
		return &secret{value: value}, nil
	case strings.HasPrefix(setting, "file:"):
		s := &secret{path: strings.TrimPrefix(setting, "file:")}
		if err := s.read(); err != nil {
			return nil, err
		}
		return s, nil
	}
	return &secret{value: strings.TrimSpace(setting)}, nil
}

// get returns the value. A file that cannot be read any more leaves the last
// value in force.
func (s *secret) get(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.path != "" && now.Sub(s.checked) >= secretCheck {
		s.checked = now
		err := s.read()
		if err != nil && !s.failing && s.report != nil {
			s.report(err)
		}
		s.failing = err != nil
	}
	return s.value
}

func (s *secret) read() error {
	info, err := os.Stat(s.path)
	if err != nil {
		return fmt.Errorf("read secret: %w", err)
	}
	stamp := fmt.Sprint(info.ModTime().UnixNano(), info.Size())
	if stamp == s.stamp {
		return nil
	}
	content, err := os.ReadFile(s.path)
	if err != nil {
		return fmt.Errorf("read secret: %w", err)
	}
	value := strings.TrimSpace(string(content))
	if value == "" {
		return fmt.Errorf("read secret: the file %q is empty", s.path)
	}
	s.value, s.stamp = value, stamp
	return nil
}

// minSecret is the length of the shortest secret that seals.
const minSecret = 32

var errShortSecret = errors.New("is shorter than 32 bytes; make one with openssl rand -base64 48, and mind that Traefik splits a text at its commas")

// keyring is the seal.Ring of the secrets as they are now.
type keyring struct {
	secrets []*secret

	mu      sync.Mutex
	values  string
	inForce []string // those that the ring is of
	ring    *seal.Ring
	signer  *delegation.Signer // of the same; nil: not asked for yet
	report  func(error)        // told of secrets that cannot be used; nil: nobody
}

func newKeyring(secrets []*secret, now time.Time) (*keyring, error) {
	k := &keyring{secrets: secrets}
	values := k.read(now)
	ring, err := ringOf(values)
	if err != nil {
		return nil, err
	}
	k.ring = ring
	k.inForce = values
	k.values = seal.Context(values...)
	return k, nil
}

func (k *keyring) read(now time.Time) []string {
	var values []string
	for _, s := range k.secrets {
		values = append(values, s.get(now))
	}
	return values
}

// at returns the ring for the secrets as they are. One that became too short
// to seal with leaves the last ring in force.
func (k *keyring) at(now time.Time) *seal.Ring {
	values := k.read(now)
	k.mu.Lock()
	defer k.mu.Unlock()
	joined := seal.Context(values...)
	if joined == k.values {
		return k.ring
	}
	k.values = joined
	ring, err := ringOf(values)
	if err == nil {
		k.ring = ring
		k.inForce = values
		k.signer = nil
	} else if k.report != nil {
		k.report(err)
	}
	return k.ring
}

// signerAt signs with the same secrets as at seals with.
func (k *keyring) signerAt(now time.Time) (*delegation.Signer, error) {
	k.at(now)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.signer == nil {
		signer, err := delegation.NewSigner(k.inForce)
		if err != nil {
			return nil, fmt.Errorf("derive signing keys: %w", err)
		}
		k.signer = signer
	}
	return k.signer, nil
}

func ringOf(values []string) (*seal.Ring, error) {
	for _, value := range values {
		if len(value) < minSecret {
			return nil, errShortSecret
		}
	}
	return seal.NewRing(values)
}
