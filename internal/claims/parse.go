package claims

import "fmt"

// Bounds of a rule. Whoever writes one is trusted; these keep a template gone
// wrong from taking the stack or the start-up time of a whole Traefik.
const (
	maxRule  = 8 << 10
	maxDepth = 64
)

// Parse makes a rule of its text: at most 8 KiB, parentheses and ! nested at
// most 64 deep, not empty. Errors wrap ErrSyntax and say what was found at
// which column (a byte's, from 1) and what would have done.
func Parse(rule string) (Rule, error) {
	if len(rule) > maxRule {
		return nil, ruleError(maxRule, fmt.Sprintf("%d bytes", len(rule)), fmt.Sprintf("at most %d", maxRule))
	}
	p := &parser{rule: rule}
	if err := p.advance(); err != nil {
		return nil, err
	}
	parsed, err := p.either()
	if err != nil {
		return nil, err
	}
	if p.token.kind != end {
		return nil, p.unexpected("&&, || or " + string(end))
	}
	return parsed, nil
}

// A parser looks at one token at a time.
type parser struct {
	rule  string
	token token
	depth int
}

func (p *parser) advance() error {
	next, err := scan(p.rule, p.token.next)
	if err != nil {
		return err
	}
	p.token = next
	return nil
}

func (p *parser) unexpected(want string) error {
	return ruleError(p.token.at, p.token.found(), want)
}

// expect passes a token of a kind.
func (p *parser) expect(k kind, want string) error {
	if p.token.kind != k {
		return p.unexpected(want)
	}
	return p.advance()
}

// either parses terms joined by ||. Those of one level are one closure, so
// that a long rule is not a deep one.
func (p *parser) either() (Rule, error) {
	var terms []Rule
	for {
		term, err := p.both()
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
		if p.token.kind != "||" {
			return anyOf(terms), nil
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}

// both parses terms joined by &&, which binds tighter.
func (p *parser) both() (Rule, error) {
	var terms []Rule
	for {
		term, err := p.unary()
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
		if p.token.kind != "&&" {
			return allOf(terms), nil
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}

func (p *parser) unary() (Rule, error) {
	switch p.token.kind {
	case "!":
		return p.negation()
	case "(":
		return p.group()
	case name:
		return p.call()
	}
	return nil, p.unexpected("a function, ! or (")
}

func (p *parser) negation() (Rule, error) {
	if err := p.descend(); err != nil {
		return nil, err
	}
	term, err := p.unary()
	if err != nil {
		return nil, err
	}
	p.depth--
	return not(term), nil
}

func (p *parser) group() (Rule, error) {
	if err := p.descend(); err != nil {
		return nil, err
	}
	inner, err := p.either()
	if err != nil {
		return nil, err
	}
	if err := p.expect(")", "&&, || or )"); err != nil {
		return nil, err
	}
	p.depth--
	return inner, nil
}

// descend passes the ! or ( that nests what follows.
func (p *parser) descend() error {
	if p.depth == maxDepth {
		return p.unexpected(fmt.Sprintf("parentheses and ! at most %d deep", maxDepth))
	}
	p.depth++
	return p.advance()
}

func (p *parser) call() (Rule, error) {
	site := p.token
	called, ok := functions[site.value]
	if !ok {
		return nil, p.unexpected("one of " + known)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	arguments, err := p.arguments(called)
	if err != nil {
		return nil, err
	}
	return build(called, site, arguments)
}

// arguments parses a function's, parentheses included.
func (p *parser) arguments(called function) ([]token, error) {
	if err := p.expect("(", "( as in "+called.signature); err != nil {
		return nil, err
	}
	if p.token.kind == ")" {
		err := p.advance()
		return nil, err
	}
	var arguments []token
	for {
		argument := p.token
		if err := p.expect(text, "a string in backquotes or double quotes"); err != nil {
			return nil, err
		}
		arguments = append(arguments, argument)
		if p.token.kind != "," {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	err := p.expect(")", ", or )")
	return arguments, err
}

func build(called function, site token, arguments []token) (Rule, error) {
	count := len(arguments)
	if count < called.least || (called.most > 0 && count > called.most) {
		return nil, ruleError(site.at, fmt.Sprintf("%s of %d arguments", site.value, count), called.signature)
	}
	if called.separator > 0 && arguments[called.separator].value == "" {
		return nil, ruleError(arguments[called.separator].at, "an empty separator", "one that is not, as in "+called.signature)
	}
	path, err := ParsePath(arguments[0].value)
	if err != nil {
		return nil, fmt.Errorf("parse rule at column %d: %w", arguments[0].at+1, err)
	}
	if called.scalar && isScope(path.name) {
		return nil, ruleError(site.at, site.value+" of "+path.name+", which is a list", "Contains or OneOf")
	}
	values := make([]string, 0, count)
	for _, argument := range arguments[1:] {
		values = append(values, argument.value)
	}
	// Not in the return: Yaegi loses what a func in a field returns there.
	rule := called.build(path, values)
	return rule, nil
}
