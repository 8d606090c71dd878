package cache

import (
	"context"
	"sync"
	"time"
)

// Memory is a Cache in the process, bounded by two generations: when the
// current one is full it becomes the previous one, whose entries are gone when
// the next is full. An entry is therefore kept for at least bound/2 later ones.
type Memory struct {
	now  func() time.Time
	half int

	mu                sync.Mutex
	current, previous map[string]entry
}

type entry struct {
	value   []byte
	expires time.Time
}

// NewMemory returns an empty cache of at most bound entries, at least two.
func NewMemory(bound int, now func() time.Time) *Memory {
	half := bound / 2
	if half < 1 {
		half = 1
	}
	return &Memory{now: now, half: half, current: map[string]entry{}}
}

// Get implements Cache; its error is always nil.
func (m *Memory) Get(_ context.Context, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, found := m.find(key)
	return e.value, found, nil
}

// Set implements Cache; its error is always nil.
func (m *Memory) Set(_ context.Context, key string, value []byte, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(key, value, ttl)
	return nil
}

// Add implements Cache; its error is always nil.
func (m *Memory) Add(_ context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, found := m.find(key); found {
		return false, nil
	}
	m.put(key, value, ttl)
	return true, nil
}

// Replace implements Cache; its error is always nil.
func (m *Memory) Replace(_ context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, found := m.find(key); !found {
		return false, nil
	}
	m.put(key, value, ttl)
	return true, nil
}

// Delete implements Cache; its error is always nil.
func (m *Memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(key)
	return nil
}

func (m *Memory) find(key string) (entry, bool) {
	e, found := m.current[key]
	if !found {
		e, found = m.previous[key]
	}
	if !found || !m.now().Before(e.expires) {
		return entry{}, false
	}
	return e, true
}

func (m *Memory) put(key string, value []byte, ttl time.Duration) {
	if ttl <= 0 {
		m.remove(key)
		return
	}
	m.keep(key, entry{value: value, expires: m.now().Add(ttl)})
}

func (m *Memory) keep(key string, e entry) {
	if len(m.current) >= m.half {
		m.previous = m.current
		m.current = map[string]entry{}
	}
	m.current[key] = e
}

func (m *Memory) remove(key string) {
	delete(m.current, key)
	delete(m.previous, key)
}
