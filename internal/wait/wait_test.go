package wait

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestFor(t *testing.T) {
	ended, end := context.WithCancel(context.Background())
	end()
	closed := make(chan struct{})
	close(closed)
	one := make(chan struct{}, 1)
	for i := 0; i < 100; i++ {
		one <- struct{}{}
		if For(context.Background(), closed) != nil || For(ended, closed) != nil || For(ended, one) != nil || len(one) != 0 {
			t.Fatal("what is there does not come first")
		}
	}
	if err := For(ended, one); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
	late, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := For(late, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the end of the time", err)
	}
}

func TestNow(t *testing.T) {
	c := make(chan struct{}, 1)
	if Now(c) || Now(nil) {
		t.Error("received where nothing is")
	}
	c <- struct{}{}
	if !Now(c) || Now(c) {
		t.Error("not received once")
	}
	close(c)
	if first, again := Now(c), Now(c); !first || !again {
		t.Error("a closed channel does not say so")
	}
}

// Each goroutine waits for its own channel.
func TestManyWait(t *testing.T) {
	const n, rounds = 50, 200
	var all sync.WaitGroup
	wrong := make(chan string, n)
	for i := 0; i < n; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for k := 0; k < rounds; k++ {
				own := make(chan struct{}, 1)
				ctx, cancel := context.WithCancel(context.Background())
				if k%2 == 0 {
					own <- struct{}{}
				} else {
					cancel()
				}
				if got := For(ctx, own) == nil; got != (k%2 == 0) {
					wrong <- "received from another's channel"
					cancel()
					return
				}
				cancel()
			}
		}()
	}
	all.Wait()
	if len(wrong) > 0 {
		t.Error(<-wrong)
	}
}

func TestPause(t *testing.T) {
	if err := Pause(context.Background(), time.Millisecond); err != nil {
		t.Errorf("a pause ended with %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Pause(ctx, time.Hour); err == nil {
		t.Error("a pause without an end of its own ended without an error")
	}
}
