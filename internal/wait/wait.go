// Package wait stands for the select statement, which the interpreter gets
// wrong: all goroutines that come to one share its list of channels, so that one
// waits for what another was to wait for.
package wait

import (
	"context"
	"reflect"
	"time"
)

// For receives from the channel, or until ctx ends. The error is that of ctx; a
// channel that is closed, or has something, comes first.
func For(ctx context.Context, c <-chan struct{}) error {
	from := reflect.ValueOf(c)
	cases := []reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: from},
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())},
	}
	chosen, _, _ := reflect.Select(cases)
	if chosen == 1 && !Now(c) {
		return ctx.Err()
	}
	return nil
}

// Now receives from the channel if that is possible at once.
func Now(c <-chan struct{}) bool {
	value, _ := reflect.ValueOf(c).TryRecv()
	return value.IsValid()
}

// Pause waits for d, or until ctx ends, whose error it then returns.
func Pause(ctx context.Context, d time.Duration) error {
	over, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-over.Done()
	return ctx.Err()
}
