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

// Replace implements Cache: no key is there, so nothing is replaced.
func (None) Replace(context.Context, string, []byte, time.Duration) (bool, error) { return false, nil }

// Delete implements Cache: there is nothing to delete.
func (None) Delete(context.Context, string) error { return nil }
