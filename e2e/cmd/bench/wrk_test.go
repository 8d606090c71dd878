package main

import "testing"

func TestReadWrk(t *testing.T) {
	const clean = `Running 3s test @ http://localhost:18000/bare/ok
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.40ms    1.29ms  24.42ms   88.60%
    Req/Sec    13.52k     1.02k   15.10k    70.00%
  40391 requests in 3.01s, 4.51MB read
Requests/sec:  13428.77
Transfer/sec:      1.50MB
`
	const failing = `  12 requests in 1.00s, 4.51MB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 5
Requests/sec:     12.00
`
	for text, want := range map[string]load{
		clean:   {perSecond: 13428.77, completed: 40391},
		failing: {perSecond: 12, completed: 12, failed: 15},
	} {
		if got, err := readWrk(text); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v of\n%s", got, err, want, text)
		}
	}
	for _, text := range []string{"", "unable to connect to localhost:1 Connection refused\n", "  0 requests in 1.00s, 0B read\nRequests/sec:      0.00\n"} {
		if got, err := readWrk(text); err == nil {
			t.Errorf("got %+v of %q, want an error", got, text)
		}
	}
}
