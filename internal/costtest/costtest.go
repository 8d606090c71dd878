// Package costtest measures, for tests, what reading an input takes as the input
// grows: memory, by the bytes allocated, and work, by the number of allocations,
// of which the interpreter makes some for each expression. Time is not measured.
package costtest

import (
	"runtime"
	"testing"
)

// These are what may be allocated besides: by the test's own servers, and where a
// buffer grows by doubling.
const (
	moreBytes   = 256 << 10
	moreObjects = 4 << 10
)

// Linear fails unless what an input takes grows no faster than the input, from
// size to four times that, and stays below most bytes. Prepare makes an input of n
// and returns what reads it, any number of times.
func Linear(t *testing.T, name string, size int, most uint64, prepare func(n int) func()) {
	t.Helper()
	bytes, objects := measure(size, 4, prepare)
	if bytes[2] > most || faster(bytes, moreBytes) || faster(objects, moreObjects) {
		// Something else may have been going on, such as the end of an earlier test.
		bytes, objects = measure(size, 32, prepare)
	}
	if bytes[2] > most {
		t.Errorf("%s: %d bytes are allocated for an input of %d, want at most %d", name, bytes[2], 4*size, most)
	}
	if faster(bytes, moreBytes) {
		t.Errorf("%s: %v bytes are allocated for inputs of %d, and two and four times that", name, bytes, size)
	}
	if faster(objects, moreObjects) {
		t.Errorf("%s: there are %v allocations for inputs of %d, and two and four times that", name, objects, size)
	}
}

// measure is what reading takes at size, and at two and four times that.
func measure(size, times int, prepare func(n int) func()) (bytes, objects [3]uint64) {
	for i := 0; i < 3; i++ {
		read := prepare(size << i)
		read()
		b, n := least(read, times)
		bytes[i] = b
		objects[i] = n
	}
	return bytes, objects
}

// faster says whether the second step, which is twice as long as the first, adds
// more than three times as much. In proportion to the length it is twice, in
// proportion to its square four times.
func faster(took [3]uint64, noise uint64) bool {
	first, second := uint64(0), uint64(0)
	if took[1] > took[0] {
		first = took[1] - took[0]
	}
	if took[2] > took[1] {
		second = took[2] - took[1]
	}
	return second > 3*first+noise
}

// least is what read takes when nothing else is going on, of so many times.
func least(read func(), times int) (bytes, objects uint64) {
	for i := 0; i < times; i++ {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		read()
		runtime.ReadMemStats(&after)
		if b := after.TotalAlloc - before.TotalAlloc; i == 0 || b < bytes {
			bytes = b
		}
		if n := after.Mallocs - before.Mallocs; i == 0 || n < objects {
			objects = n
		}
	}
	return bytes, objects
}
