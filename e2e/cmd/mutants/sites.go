package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// site is a place in the source where one small fault can be put.
type site struct {
	file     string // below the plugin's root
	kind     string
	line     int
	from, to int // bytes of the source
	new      string
}

// The kinds of faults.
const (
	negated    = "condition negated"
	dropped    = "statement dropped"
	errorGone  = "error made nil"
	constant   = "constant moved"
	comparison = "comparison shifted"
	logic      = "&& and || swapped"
)

// allSites finds every site in the production files of the module at root whose name below it matches files.
func allSites(root string, files *regexp.Regexp, random *rand.Rand) ([]site, error) {
	var all []site
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return enter(filepath.ToSlash(name))
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || !files.MatchString(name) {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found, err := sites(name, source, random)
		all = append(all, found...)
		return err
	})
	return all, err
}

// enter keeps to the root package and internal, without what serves tests only.
func enter(dir string) error {
	switch {
	case dir == "internal/oidctest", strings.HasSuffix(dir, "/redistest"):
		return filepath.SkipDir
	case dir == ".", dir == "internal", strings.HasPrefix(dir, "internal/"):
		return nil
	}
	return filepath.SkipDir
}

func sites(name string, source []byte, random *rand.Rand) ([]site, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := &finder{name: name, source: source, fset: fset, random: random}
	ast.Inspect(file, func(n ast.Node) bool {
		f.visit(n)
		return true
	})
	return f.found, nil
}

// finder collects the sites of one file.
type finder struct {
	name   string
	source []byte
	fset   *token.FileSet
	random *rand.Rand
	found  []site
}

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.fset.Position(n.Pos()).Offset:f.fset.Position(n.End()).Offset])
}

func (f *finder) add(kind string, n ast.Node, new string) {
	from, to := f.fset.Position(n.Pos()), f.fset.Position(n.End())
	f.found = append(f.found, site{f.name, kind, from.Line, from.Offset, to.Offset, new})
}

func (f *finder) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.IfStmt:
		f.condition(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			f.condition(n.Cond)
		}
	case *ast.SwitchStmt:
		if n.Tag == nil {
			f.cases(n.Body)
		}
	case *ast.BlockStmt:
		f.statements(n.List)
	case *ast.CaseClause:
		f.statements(n.Body)
	case *ast.FuncDecl:
		f.returns(n.Type, n.Body)
	case *ast.FuncLit:
		f.returns(n.Type, n.Body)
	case *ast.BinaryExpr:
		f.binary(n)
	case *ast.BasicLit:
		f.number(n)
	case *ast.Ident:
		if n.Name == "true" || n.Name == "false" {
			f.add(constant, n, map[string]string{"true": "false", "false": "true"}[n.Name])
		}
	}
}

func (f *finder) condition(cond ast.Expr) { f.add(negated, cond, "!("+f.text(cond)+")") }

func (f *finder) cases(body *ast.BlockStmt) {
	for _, s := range body.List {
		for _, cond := range s.(*ast.CaseClause).List {
			f.condition(cond)
		}
	}
}

// statements may each be missing, as long as what they declare is not.
func (f *finder) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				f.add(dropped, s, "")
			}
		case *ast.ReturnStmt:
			if len(s.Results) == 0 {
				f.add(dropped, s, "")
			}
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt, *ast.BranchStmt, *ast.IfStmt:
			f.add(dropped, s, "")
		}
	}
}

// returns finds the errors that a function returns, not those of the functions in it.
func (f *finder) returns(t *ast.FuncType, body *ast.BlockStmt) {
	if body == nil || t.Results == nil || len(t.Results.List) == 0 {
		return
	}
	last, ok := t.Results.List[len(t.Results.List)-1].Type.(*ast.Ident)
	if !ok || last.Name != "error" {
		return
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			if len(n.Results) == 0 || len(n.Results) < t.Results.NumFields() {
				return true
			}
			if err := n.Results[len(n.Results)-1]; f.text(err) != "nil" {
				f.add(errorGone, err, "nil")
			}
		}
		return true
	})
}

var (
	shifted = map[token.Token]token.Token{
		token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR, token.EQL: token.NEQ, token.NEQ: token.EQL,
	}
	swapped = map[token.Token]token.Token{token.LAND: token.LOR, token.LOR: token.LAND}
)

func (f *finder) binary(n *ast.BinaryExpr) {
	with := func(op token.Token) string { return f.text(n.X) + " " + op.String() + " " + f.text(n.Y) }
	if name, ok := n.X.(*ast.Ident); ok && n.Op == token.NEQ && f.text(n.Y) == "nil" && strings.Contains(name.Name, "err") {
		f.add(errorGone, n, "("+f.text(n)+" && false)")
	}
	if op, ok := shifted[n.Op]; ok {
		f.add(comparison, n, with(op))
	}
	if op, ok := swapped[n.Op]; ok {
		f.add(logic, n, "("+with(op)+")")
	}
}

// number moves a whole number by one, or doubles it.
func (f *finder) number(n *ast.BasicLit) {
	value, err := strconv.ParseInt(n.Value, 0, 64)
	if n.Kind != token.INT || err != nil {
		return
	}
	moved := []int64{value + 1, 2*value + 1}[f.random.IntN(2)]
	if value > 2 && moved > value+1 {
		moved = 2 * value
	}
	f.add(constant, n, strconv.FormatInt(moved, 10))
}
