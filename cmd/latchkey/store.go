package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/latchkey-auth/latchkey"
)

// options are the flags that several commands have.
type options struct {
	json       bool
	plugin     string
	config     string // a dynamic configuration
	middleware string // whose settings, of several
	file       string // a shadow file, instead of settings
}

// storeFlags are those that say which store is meant.
func (o *options) storeFlags(cmd *cobra.Command) *cobra.Command {
	flags := cmd.PersistentFlags()
	flags.StringVar(&o.config, "config", "", "dynamic configuration with the plugin's settings (default $LATCHKEY_CONFIG)")
	flags.StringVar(&o.middleware, "middleware", "", "whose settings, if its middlewares have several stores")
	flags.StringVar(&o.file, "file", "", "shadow file of API tokens, without a configuration (default $LATCHKEY_TOKENS)")
	return cmd
}

// store is what a command works on.
type store struct {
	*latchkey.Admin
	config *latchkey.Config
}

// open opens the store that the flags, or else the environment, name.
func (o *options) open(ctx context.Context, stdin io.Reader) (*store, error) {
	path, tokens := o.config, o.file
	if path == "" && tokens == "" {
		path, tokens = os.Getenv("LATCHKEY_CONFIG"), os.Getenv("LATCHKEY_TOKENS")
	}
	var config *latchkey.Config
	var err error
	switch {
	case path == "" && tokens == "":
		return nil, errors.New("which store? Give --config FILE or, for API tokens alone, --file PATH")
	case path != "" && tokens != "":
		return nil, fmt.Errorf("two stores: the configuration %s and the shadow file %s; give one", path, tokens)
	case path != "":
		config, err = o.configured(path, stdin)
	default:
		config = ofShadowFile(tokens)
	}
	if err != nil {
		return nil, err
	}
	config.Log.Level = "error" // what is less goes to standard output
	admin, err := latchkey.NewAdmin(ctx, config, "latchkey")
	if err != nil {
		return nil, failed(err)
	}
	return &store{Admin: admin, config: config}, nil
}

// ofShadowFile are settings with nothing but API tokens. The secret seals
// nothing.
func ofShadowFile(path string) *latchkey.Config {
	secret := make([]byte, 48)
	_, _ = rand.Read(secret) // never fails
	config := latchkey.CreateConfig()
	config.Secret = []string{base64.StdEncoding.EncodeToString(secret)}
	config.Bearer.Enabled = false
	config.APITokens.File = path
	return config
}

// configured are the settings of the middleware that is meant.
func (o *options) configured(path string, stdin io.Reader) (*latchkey.Config, error) {
	file, err := readConfiguration(path, o.plugin, stdin)
	if err != nil {
		return nil, err
	}
	if len(file.problems) > 0 {
		return nil, failed(errors.New(file.problems[0].String()))
	}
	var chosen *latchkey.Config
	var names []string
	for _, s := range file.sections {
		if o.middleware != "" && o.middleware != s.name {
			names = append(names, s.name)
			continue
		}
		config, mistakes := s.config(false)
		if len(mistakes) > 0 {
			return nil, failed(errors.New(problem{File: path, Middleware: s.name, Problem: strings.Join(mistakes, "; ")}.String()))
		}
		if chosen != nil && !sameStore(chosen, config) {
			return nil, fmt.Errorf("%s: the middlewares %s and %s have different stores; choose with --middleware", path, names[0], s.name)
		}
		names = append(names, s.name)
		chosen = config
	}
	switch {
	case chosen != nil:
		return chosen, nil
	case o.middleware != "" && len(names) > 0:
		return nil, fmt.Errorf("%s: no Latchkey middleware %q; there is %s", path, o.middleware, strings.Join(names, ", "))
	}
	return nil, failed(fmt.Errorf("%s: %s", path, file.withoutUs(o.plugin)))
}

// sameStore says whether two middlewares share their sessions and API tokens.
func sameStore(a, b *latchkey.Config) bool {
	return a.Provider.Issuer == b.Provider.Issuer && a.Provider.ClientID == b.Provider.ClientID &&
		a.Session.Store == b.Session.Store && a.APITokens.Enabled == b.APITokens.Enabled && a.APITokens.File == b.APITokens.File &&
		reflect.DeepEqual(a.Secret, b.Secret) && reflect.DeepEqual(a.Redis, b.Redis)
}

// shared says whether the store is a Redis, where what is done is known to all
// at once, and where sessions can be reached.
func (s *store) shared() bool { return len(s.config.Redis.Addresses) > 0 }

// noticed says when the running middlewares know.
func (s *store) noticed() string {
	if s.config.APITokens.File == "" {
		return "every replica knows now"
	}
	return "a running Traefik knows within apiTokens.checkEvery, 60s if not set"
}

// reasonCode begins the plugin's errors, for its own answers.
var reasonCode = regexp.MustCompile(`^[a-z]+(_[a-z]+)+: `)

// refused tells a failure from what should not have been asked for.
func refused(err error) error {
	if err == nil {
		return nil
	}
	plain := errors.New(reasonCode.ReplaceAllString(err.Error(), ""))
	if errors.Is(err, latchkey.ErrNotFound) || errors.Is(err, latchkey.ErrStoreAway) {
		return failed(plain)
	}
	return plain
}
