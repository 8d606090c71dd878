package redis

import (
	"strings"
	"testing"
)

// TestSlots: the vectors and the rule of the cluster specification.
func TestSlots(t *testing.T) {
	if got := crc16("123456789"); got != 0x31C3 {
		t.Errorf("the CRC of 123456789: got %#x, want 0x31c3", got)
	}
	cases := []struct {
		key  string
		want int
	}{
		{"123456789", 12739},
		{"foo", 12182},
		{"", 0},
		{"\x00", 0},
		{"a", 15495},
	}
	for _, c := range cases {
		if got := slotOfKey(c.key); got != c.want {
			t.Errorf("%q: got slot %d, want %d", c.key, got, c.want)
		}
	}
}

// TestHashTags: the other key has the same slot, for the reason that it has no
// braces, or that it is hashed by hand.
func TestHashTags(t *testing.T) {
	cases := []struct{ name, key, hashed string }{
		{"a tag", "{user1000}.following", "user1000"},
		{"the same tag", "{user1000}.followers", "user1000"},
		{"an empty tag: all of the key", "foo{}{bar}", "foo{}{bar}"},
		{"a brace in the tag", "foo{{bar}}zap", "{bar"},
		{"the first of two tags", "foo{bar}{zap}", "bar"},
		{"a tag that does not end", "foo{bar", "foo{bar"},
		{"a tag that does not begin", "foo}bar", "foo}bar"},
		{"the end before the beginning", "}foo{bar}", "bar"},
	}
	for _, c := range cases {
		want := int(bitwise(c.hashed)) % slotCount
		if got := slotOfKey(c.key); got != want {
			t.Errorf("%s: %q is in slot %d, want that of %q, %d", c.name, c.key, got, c.hashed, want)
		}
	}
}

// bitwise is CRC-16/XMODEM as it is defined.
func bitwise(text string) uint16 {
	var crc uint16
	for i := 0; i < len(text); i++ {
		crc ^= uint16(text[i]) << 8
		for bit := 0; bit < 8; bit++ {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
	}
	return crc
}

func TestCRCOfAllBytes(t *testing.T) {
	text := ""
	for i := 0; i < 256; i++ {
		text += string([]byte{byte(i)})
		if got, want := crc16(text), bitwise(text); got != want {
			t.Fatalf("%d bytes: got %#x, want %#x", len(text), got, want)
		}
	}
}

func TestKeysOfCommands(t *testing.T) {
	cases := []struct {
		command string
		key     string // "": none, and slot 0
	}{
		{"GET k", "k"},
		{"set k v", "k"},
		{"XADD k * f v", "k"},
		{"EVAL script 1 k arg", "k"},
		{"eval script 2 k other", "k"},
		{"EVALSHA abc 1 k arg", "k"},
		{"EVAL script 0", ""},
		{"XREAD STREAMS k 0", "k"},
		{"XREAD COUNT 10 BLOCK 100 STREAMS k other 0 0", "k"},
		{"xread count 10 streams k 0", "k"},
		{"XREADGROUP GROUP g c STREAMS k >", "k"},
		{"PING", ""},
	}
	for _, c := range cases {
		want := 0
		if c.key != "" {
			want = slotOfKey(c.key)
		}
		if got := slotOf(strings.Fields(c.command)); got != want {
			t.Errorf("%s: got slot %d, want %d, that of the key %q", c.command, got, want, c.key)
		}
	}
}
