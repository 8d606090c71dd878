package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// run runs the tests, and each fuzzer over its seeds, and ends the process. testing.Main leaves fuzzers out.
func run(tests []testing.InternalTest, fuzzers []testing.InternalFuzzTarget) {
	os.Exit(testing.MainStart(deps{}, tests, nil, fuzzers, nil).Run())
}

// deps are what go test hands to the testing package. Seeds are read as it reads them; nothing is fuzzed.
type deps struct{}

// input is the testing package's own corpusEntry.
type input = struct {
	Parent     string
	Path       string
	Data       []byte
	Values     []any
	Generation int
	IsSeed     bool
}

var errNotHere = errors.New("only seeds are run interpreted")

func (deps) ImportPath() string                          { return os.Getenv(childEnv) }
func (deps) ModulePath() string                          { return "" }
func (deps) MatchString(pat, str string) (bool, error)   { return regexp.MatchString(pat, str) }
func (deps) SetPanicOnExit0(bool)                        {}
func (deps) StartCPUProfile(io.Writer) error             { return errNotHere }
func (deps) StopCPUProfile()                             {}
func (deps) StartTestLog(io.Writer)                      {}
func (deps) StopTestLog() error                          { return errNotHere }
func (deps) WriteProfileTo(string, io.Writer, int) error { return errNotHere }
func (deps) CoordinateFuzzing(time.Duration, int64, time.Duration, int64, int, []input, []reflect.Type, string, string) error {
	return errNotHere
}
func (deps) RunFuzzWorker(func(input) error) error { return errNotHere }
func (deps) ResetCoverage()                        {}
func (deps) SnapshotCoverage()                     {}
func (deps) InitRuntimeCoverage() (string, func(string, string) (string, error), func() float64) {
	return "", nil, nil
}

// CheckCorpus sees that a seed has the fuzzer's types.
func (deps) CheckCorpus(values []any, types []reflect.Type) error {
	if len(values) != len(types) {
		return fmt.Errorf("a seed has %d values, want %d", len(values), len(types))
	}
	for i, v := range values {
		if t := reflect.TypeOf(v); t != types[i] {
			return fmt.Errorf("value %d of a seed is a %v, want a %v", i, t, types[i])
		}
	}
	return nil
}

// ReadCorpus reads the seeds in testdata/fuzz of the package; none is no error.
func (d deps) ReadCorpus(dir string, types []reflect.Type) ([]input, error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var seeds []input
	for _, file := range files {
		path := filepath.Join(dir, file.Name())
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		values, err := parseSeed(string(data), types)
		if err == nil {
			err = d.CheckCorpus(values, types)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		seeds = append(seeds, input{Path: path, Data: data, Values: values})
	}
	return seeds, nil
}

// parseSeed reads the form that go test writes: a line that names it, then a line for each value, such as string("a").
func parseSeed(text string, types []reflect.Type) ([]any, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if lines[0] != "go test fuzz v1" || len(lines)-1 != len(types) {
		return nil, fmt.Errorf("want a line \"go test fuzz v1\" and %d values", len(types))
	}
	var values []any
	for i, line := range lines[1:] {
		v, err := parseValue(line, types[i])
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		values = append(values, v)
	}
	return values, nil
}

// parseValue reads a conversion of one literal to the type.
func parseValue(line string, t reflect.Type) (any, error) {
	expr, err := parser.ParseExpr(line)
	if err != nil {
		return nil, err
	}
	call, ok := expr.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return nil, errors.New("not a conversion")
	}
	sign, arg := "", call.Args[0]
	if minus, ok := arg.(*ast.UnaryExpr); ok && minus.Op == token.SUB {
		sign, arg = "-", minus.X
	}
	if name, ok := arg.(*ast.Ident); ok && t.Kind() == reflect.Bool {
		return strconv.ParseBool(name.Name)
	}
	literal, ok := arg.(*ast.BasicLit)
	if !ok {
		return nil, errors.New("not a literal")
	}
	value, err := basic(literal, sign)
	if err != nil {
		return nil, err
	}
	if !value.CanConvert(t) {
		return nil, fmt.Errorf("a %v is no %v", value.Type(), t)
	}
	return value.Convert(t).Interface(), nil
}

// basic is the literal's value, of the type that Go gives it by itself.
func basic(literal *ast.BasicLit, sign string) (reflect.Value, error) {
	var value any
	var err error
	switch literal.Kind {
	case token.STRING:
		value, err = strconv.Unquote(literal.Value)
	case token.CHAR:
		var c rune
		c, _, _, err = strconv.UnquoteChar(strings.Trim(literal.Value, "'"), '\'')
		value = int64(c)
	case token.INT:
		value, err = strconv.ParseInt(sign+literal.Value, 0, 64)
	case token.FLOAT:
		value, err = strconv.ParseFloat(sign+literal.Value, 64)
	default:
		err = fmt.Errorf("a literal of kind %v", literal.Kind)
	}
	return reflect.ValueOf(value), err
}
