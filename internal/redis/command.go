package redis

import "strings"

// effect says what sending a command twice comes to.
type effect int

const (
	once   effect = iota // more than sending it once, or nobody knows
	writes               // the same as sending it once, and it writes
	reads                // it changes nothing
)

// command is what the client knows of one: what it does, and what may answer it.
//
// Each letter of answers is a kind of reply: t a text, o the text OK, i an
// integer, n nil, l a list. Behind a colon are the kinds of a list's items; no
// colon: any.
type command struct {
	effect  effect
	answers string
}

// commands are those that are sent. One that is not here is not sent again when a
// connection was lost, and its answer is its caller's to check: AsText, AsInteger,
// AsList.
var commands = map[string]command{
	"PING": {reads, "t"}, "INFO": {reads, "t"}, "TIME": {reads, "l:t"}, "ROLE": {reads, "l"},
	"AUTH": {reads, "o"}, "SELECT": {reads, "o"}, "ASKING": {reads, "o"},
	"GET": {reads, "tn"}, "MGET": {reads, "l:tn"}, "EXISTS": {reads, "i"}, "PTTL": {reads, "i"},
	"ZRANGE": {reads, "l:t"}, "ZRANGEBYSCORE": {reads, "l:t"}, "ZSCAN": {reads, "l:tl"}, "SCAN": {reads, "l:tl"}, "ZCARD": {reads, "i"},
	"XREAD": {reads, "nl:l"}, "XRANGE": {reads, "l:l"}, "XREVRANGE": {reads, "l:l"}, "XLEN": {reads, "i"},
	"SET": {writes, "on"}, "DEL": {writes, "i"}, "PEXPIRE": {writes, "i"}, "PEXPIREAT": {writes, "i"},
	"ZADD": {writes, "i"}, "ZREM": {writes, "i"}, "ZREMRANGEBYSCORE": {writes, "i"}, "ZREMRANGEBYRANK": {writes, "i"},
	"XTRIM": {writes, "i"}, "XADD": {once, "t"},
}

// repeatable says whether sending the commands twice comes to the same as once.
func repeatable(list [][]string) bool {
	for _, args := range list {
		if commands[strings.ToUpper(args[0])].effect == once || isConditional(args) {
			return false
		}
	}
	return true
}

// isConditional says that a SET is answered by what was there: sent twice, the
// second would find what the first has set.
func isConditional(args []string) bool {
	if len(args) < 4 || !strings.EqualFold(args[0], "SET") {
		return false
	}
	return strings.Contains(" "+strings.ToUpper(strings.Join(args[3:], " "))+" ", " NX ")
}

// misfit is the failure of the first reply that cannot be the answer to its
// command: the server is none, or the reply is another command's. Refusals fit.
func misfit(list [][]string, replies []Reply) *failure {
	for i, r := range replies {
		if r.Err != nil {
			continue
		}
		known, found := commands[strings.ToUpper(list[i][0])]
		if found && !r.fits(known.answers) {
			return &failure{code: "protocol", err: protocolError("as the answer to "+list[i][0], r.kindName())}
		}
	}
	return nil
}

func (r Reply) fits(answers string) bool {
	own, items, limited := strings.Cut(answers, ":")
	if r.Kind == Text && r.Text == "OK" && strings.Contains(own, "o") {
		return true
	}
	if !strings.Contains(own, r.letter()) {
		return false
	}
	if !limited || r.Kind != List {
		return true
	}
	for i := range r.Items {
		if r.Items[i].Err != nil || !strings.Contains(items, r.Items[i].letter()) {
			return false
		}
	}
	return true
}

func (r Reply) letter() string { return "ntil"[r.Kind : r.Kind+1] }

func (r Reply) kindName() string {
	names := []string{"nil", "a text", "an integer", "a list"}
	return names[r.Kind]
}
