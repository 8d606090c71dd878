// Package emptyplugin is the least that a Traefik plugin can do: it calls next. What it costs, no plugin can save.
package emptyplugin

import (
	"context"
	"net/http"
)

// Config has no settings.
type Config struct{}

// CreateConfig is called by Traefik.
func CreateConfig() *Config { return &Config{} }

type empty struct{ next http.Handler }

// New is called by Traefik for each router.
func New(_ context.Context, next http.Handler, _ *Config, _ string) (http.Handler, error) {
	return &empty{next}, nil
}

func (e *empty) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.next.ServeHTTP(w, r) }
