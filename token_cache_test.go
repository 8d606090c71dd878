package latchkey

import (
	"strconv"
	"sync"
	"testing"
)

func keyNamed(name string) cacheKey {
	var key cacheKey
	copy(key[:], name)
	return key
}

func TestTokenCacheIsBounded(t *testing.T) {
	c := newTokenCache(100)
	for i := 0; i < 10000; i++ {
		c.put(keyNamed(strconv.Itoa(i)), &verified{})
		if c.size() > 100 {
			t.Fatalf("%d entries after %d were put, want at most 100", c.size(), i+1)
		}
	}
	if c.get(keyNamed("9999")) == nil || c.get(keyNamed("9960")) == nil {
		t.Error("one of the last 50 was pushed out")
	}
	if evicted := c.evicted.Load(); evicted < 9900 || evicted > 9950 {
		t.Errorf("counted %d evictions of 9,900 and more", evicted)
	}
}

// What is asked for stays, however much passes by.
func TestTokenCacheKeepsWhatIsUsed(t *testing.T) {
	c := newTokenCache(100)
	c.put(keyNamed("used"), &verified{})
	for i := 0; i < 1000; i++ {
		c.put(keyNamed(strconv.Itoa(i)), &verified{})
		if i%20 == 0 && c.get(keyNamed("used")) == nil {
			t.Fatalf("gone after %d others", i)
		}
	}
}

func TestTokenCacheOff(t *testing.T) {
	c := newTokenCache(0)
	c.put(keyNamed("a"), &verified{})
	if c.get(keyNamed("a")) != nil {
		t.Error("a cache of no entries kept one")
	}
}

func TestTokenCacheConcurrently(t *testing.T) {
	c := newTokenCache(64)
	var wg sync.WaitGroup
	for g := 0; g < 8; g++ {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			for i := 0; i < 500; i++ {
				key := keyNamed(strconv.Itoa((g*31 + i) % 90))
				c.put(key, &verified{until: int64(i)})
				c.get(key)
			}
		}(g)
	}
	wg.Wait()
	if c.size() > 64 {
		t.Errorf("%d entries, want at most 64", c.size())
	}
}
