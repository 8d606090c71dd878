package cache

import (
	"context"
	"time"
)

// None is a Cache that keeps nothing: for a setting that turns a cache off.
type None struct{}

// Get implements Cache: nothing is found.
func (None) Get(context.Context, string) ([]byte, bool, error) { return nil, false, nil }

// Set implements Cache: nothing is kept.
func (None) Set(context.Context, string, []byte, time.Duration) error { return nil }

// Add implements Cache: no key is there, so each call adds.
func (None) Add(context.Context, string, []byte, time.Duration) (bool, error) { return true, nil }
