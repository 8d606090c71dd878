package redis

import (
	"hash/crc32"
	"math/bits"
	"strings"
)

const slotCount = 16384

// slotOf is the slot of a command: that of its key, or any when it has none.
func slotOf(args []string) int {
	i := keyIndex(args)
	if i <= 0 || i >= len(args) {
		return 0
	}
	return slotOfKey(args[i])
}

// keyIndex is where the command's (first) key stands.
func keyIndex(args []string) int {
	switch strings.ToUpper(args[0]) {
	case "EVAL", "EVALSHA":
		return 3
	case "XREAD", "XREADGROUP":
		for i, arg := range args {
			if strings.EqualFold(arg, "STREAMS") {
				return i + 1
			}
		}
	}
	return 1
}

// slotOfKey hashes what stands between the first { and the next }, if that is
// anything, and else all of the key.
func slotOfKey(key string) int {
	if _, after, found := strings.Cut(key, "{"); found {
		if tag, _, closed := strings.Cut(after, "}"); closed && tag != "" {
			key = tag
		}
	}
	return int(crc16(key)) % slotCount
}

// crc16 is CRC-16/XMODEM. A loop over the key's bytes would be interpreted;
// hash/crc32 is compiled, and can do it: the polynomial 0x1021, 16 bits higher,
// is one of 32 bits whose remainder has the CRC in its upper half. It takes bits
// in the opposite order, so its table, the bytes and the result are mirrored.
func crc16(text string) uint16 {
	mirrored := []byte(mirror.Replace(text))
	return bits.Reverse16(uint16(^crc32.Update(0xffffffff, crcTable, mirrored)))
}

var (
	crcTable = crc32.MakeTable(bits.Reverse32(0x1021 << 16))
	mirror   = newMirror()
)

func newMirror() *strings.Replacer {
	pairs := make([]string, 0, 512)
	for i := 0; i < 256; i++ {
		pairs = append(pairs, string([]byte{byte(i)}), string([]byte{bits.Reverse8(byte(i))}))
	}
	return strings.NewReplacer(pairs...)
}
