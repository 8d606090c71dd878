package redis

import "fmt"

// A server may answer with anything. What is no answer to the command never comes
// to its caller (command.go); what scripts answer, and what is in a list, is read
// by these. Their errors wrap ErrUnavailable: there is no answer that can be used.

// AsText is a text; found is false for nil.
func (r Reply) AsText() (text string, found bool, err error) {
	if r.Err != nil || r.Kind != Text && r.Kind != Nil {
		return "", false, r.unfit("a text")
	}
	return r.Text, r.Kind == Text, nil
}

// AsInteger is an integer.
func (r Reply) AsInteger() (int64, error) {
	if r.Err != nil || r.Kind != Integer {
		return 0, r.unfit("an integer")
	}
	return r.Int, nil
}

// AsList is the items of a list; none for nil.
func (r Reply) AsList() ([]Reply, error) {
	if r.Err != nil || r.Kind != List && r.Kind != Nil {
		return nil, r.unfit("a list")
	}
	return r.Items, nil
}

func (r Reply) unfit(want string) error {
	if r.Err != nil {
		return r.Err
	}
	return fmt.Errorf("the answer is %s, want %s: %w", r.kindName(), want, ErrUnavailable)
}
