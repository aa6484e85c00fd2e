package enforce_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/violation"
)

// Schemas of the parameters below, after those of the OAS's Style Examples.
const (
	text   = `{type: string, enum: [blue, a.b, "a,b", "a;b", "a b", ""]}`
	number = `{type: integer, maximum: 255}`
	array  = `{type: array, minItems: 1, maxItems: 3, items: {type: string, enum: [blue, black, brown, "a,b", "a b", "a|b", "a&b"]}}`
	object = `{type: object, required: [R, G], additionalProperties: false, properties: {R: {type: integer, maximum: 255}, G: {type: integer}, B: {type: integer}}}`
	either = `{anyOf: [{type: integer, maximum: 9}, ` + array + `]}`
	choice = `{anyOf: [{type: integer, maximum: 9}, ` + object + `]}`
	nested = `{$ref: '#/components/schemas/Nested'}`
	open   = `{type: object, minProperties: 2, additionalProperties: {type: integer, maximum: 255}, properties: {name: {type: string, maxLength: 4}}}`
)

// parameters are groups of requests to operations that have these parameters.
// A request is what follows "/": a path parameter's value, "?" and a query, or
// a header line. Its verdict is "ok" or the code, place and name violated. A
// parameter is named color unless it says otherwise.
var parameters = []struct {
	section    string // of the OAS, or of what it refers to
	parameters []string
	rows       [][2]string
}{
	{"Style Values: simple, primitive", []string{"in: path, schema: " + text}, [][2]string{
		{"blue", "ok"}, {"%62lue", "ok"}, {"red", "enum path color"}, {"a,b", "ok"}, {"a%2Cb", "ok"}, {"%2562lue", "enum path color"},
		{"%zz", "path path"}, {"%ff", "parameter-encoding path color"},
	}},
	{"Style Values: simple, primitive", []string{"in: path, schema: " + number}, [][2]string{
		{"100", "ok"}, {"256", "maximum path color"}, {"1e2", "type path color"}, {"0100", "type path color"}, {"%31", "ok"},
	}},
	{"Style Examples: simple, array", []string{"in: path, schema: " + array}, [][2]string{
		{"blue,black,brown", "ok"}, {"blue", "ok"}, {"blue,red", "enum path color/1"}, {"blue,", "enum path color/1"},
		{"blue,blue,blue,blue", "max-items path color"}, {"blue.black", "enum path color/0"}, {"blue,%62lack", "ok"},
		{"a%2Cb,blue", "ok"}, {"blue%2Cblack", "enum path color/0"}, {"a%252Cb", "enum path color/0"}, {"%62lue%2cblack", "enum path color/0"},
	}},
	{"Style Examples: simple, array of numbers, with escaped commas", []string{"in: path, schema: {type: array, maxItems: 2, items: {type: integer}}"}, [][2]string{
		{"1%2C2", "ok"}, {"1,2%2c3", "max-items path color"}, {"1%2Cx", "type path color/1"}, {"1%252C2", "type path color/0"},
	}},
	{"Style Examples: simple, array, explode", []string{"in: path, explode: true, schema: " + array}, [][2]string{
		{"blue,black,brown", "ok"}, {"blue,red", "enum path color/1"}, {"color=blue", "enum path color/0"},
	}},
	{"Style Examples: simple, object", []string{"in: path, schema: " + object}, [][2]string{
		{"R,100,G,200,B,150", "ok"}, {"R,100", "required path color/G"}, {"R,256,G,1", "maximum path color/R"}, {"R,100,G", "parameter-encoding path color"},
		{"R,100,G,200,A,1", "undeclared-property path color/*"}, {"R,1,R,2,G,3", "parameter-encoding path color"}, {"R=100,G=200", "undeclared-property path color/*"},
	}},
	{"Style Examples: simple, object, explode", []string{"in: path, explode: true, schema: " + object}, [][2]string{
		{"R=100,G=200,B=150", "ok"}, {"R=100", "required path color/G"}, {"R=256,G=1", "maximum path color/R"}, {"R,100,G,200", "parameter-encoding path color"},
		{"R=x,G=1", "type path color/R"}, {"R%3D1,G=2", "parameter-encoding path color"}, {"R=1%2CG=2", "type path color/R"}, {"R=1,G=2,R=3", "parameter-encoding path color"}, {"R=1,G=", "type path color/G"},
	}},

	{"Style Values: label, primitive (RFC 6570 section 3.2.5)", []string{"in: path, style: label, schema: " + text}, [][2]string{
		{".blue", "ok"}, {"blue", "parameter-encoding path color"}, {"..blue", "enum path color"}, {".a.b", "ok"}, {".red", "enum path color"},
		{".", "path path"}, {"%2Eblue", "ok"},
	}},
	{"Style Values: label, primitive, explode", []string{"in: path, style: label, explode: true, schema: " + number}, [][2]string{
		{".100", "ok"}, {".256", "maximum path color"}, {"100", "parameter-encoding path color"}, {".1.5", "type path color"},
	}},
	{"Style Examples: label, array", []string{"in: path, style: label, schema: " + array}, [][2]string{
		{".blue,black,brown", "ok"}, {".blue", "ok"}, {"blue,black", "parameter-encoding path color"}, {".blue,red", "enum path color/1"},
		{".blue.black", "enum path color/0"}, {".blue,blue,blue,blue", "max-items path color"},
	}},
	{"Style Examples: label, array, explode", []string{"in: path, style: label, explode: true, schema: " + array}, [][2]string{
		{".blue.black.brown", "ok"}, {".blue", "ok"}, {"blue.black", "parameter-encoding path color"}, {".blue.red", "enum path color/1"},
		{".blue,black", "enum path color/0"}, {".a,b.blue", "ok"}, {".blue..black", "enum path color/1"}, {".blue.blue.blue.blue", "max-items path color"},
	}},
	{"Style Examples: label, object", []string{"in: path, style: label, schema: " + object}, [][2]string{
		{".R,100,G,200,B,150", "ok"}, {"R,100,G,200", "parameter-encoding path color"}, {".R,100", "required path color/G"},
		{".R,256,G,1", "maximum path color/R"}, {".R,100,G", "parameter-encoding path color"},
	}},
	{"Style Examples: label, object, explode", []string{"in: path, style: label, explode: true, schema: " + object}, [][2]string{
		{".R=100.G=200.B=150", "ok"}, {"R=100.G=200", "parameter-encoding path color"}, {".R=100", "required path color/G"},
		{".R=256.G=1", "maximum path color/R"}, {".R.100.G.200", "parameter-encoding path color"}, {".R=1.R=2.G=3", "parameter-encoding path color"},
	}},

	{"Style Values: matrix, primitive (RFC 6570 section 3.2.7)", []string{"in: path, style: matrix, schema: " + text}, [][2]string{
		{";color=blue", "ok"}, {";color", "ok"}, {";color=", "ok"}, {";color=red", "enum path color"}, {"color=blue", "parameter-encoding path color"},
		{"blue", "parameter-encoding path color"}, {";colour=blue", "parameter-encoding path color"}, {";colorblue", "parameter-encoding path color"},
		{";color=blue;color=blue", "parameter-encoding path color"}, {";color=blue;x=1", "parameter-encoding path color"}, {";x=1;color=blue", "parameter-encoding path color"},
		{";color=%62lue", "ok"}, {";color=blue%3Bcolor=red", "enum path color"},
		{";color=a%3Bb", "ok"}, {";color%3Dblue", "parameter-encoding path color"}, {"%3Bcolor=blue", "parameter-encoding path color"},
	}},
	{"Style Values: matrix, primitive, explode", []string{"in: path, style: matrix, explode: true, schema: " + number}, [][2]string{
		{";color=100", "ok"}, {";color=256", "maximum path color"}, {";color=1;color=2", "parameter-encoding path color"}, {";color", "type path color"},
	}},
	{"Style Examples: matrix, array", []string{"in: path, style: matrix, schema: " + array}, [][2]string{
		{";color=blue,black,brown", "ok"}, {";color=blue", "ok"}, {";color", "min-items path color"}, {";color=blue,red", "enum path color/1"},
		{";color=blue;color=black", "parameter-encoding path color"}, {"blue,black", "parameter-encoding path color"}, {";color=blue,blue,blue,blue", "max-items path color"},
	}},
	{"Style Examples: matrix, array, explode", []string{"in: path, style: matrix, explode: true, schema: " + array}, [][2]string{
		{";color=blue;color=black;color=brown", "ok"}, {";color=blue", "ok"}, {";color=blue;color=red", "enum path color/1"},
		{";color=blue;x=black", "parameter-encoding path color"}, {"color=blue", "parameter-encoding path color"}, {";color=a,b", "ok"},
		{";color=blue,black", "enum path color/0"}, {";color=blue;color", "enum path color/1"}, {";color=blue%3Bcolor=black", "enum path color/0"}, {";color=blue;color=blue;color=blue;color=blue", "max-items path color"},
	}},
	{"Style Examples: matrix, object", []string{"in: path, style: matrix, schema: " + object}, [][2]string{
		{";color=R,100,G,200,B,150", "ok"}, {";color=R,100", "required path color/G"}, {";color=R,256,G,1", "maximum path color/R"},
		{";R=100;G=200", "parameter-encoding path color"}, {";color=R,1,G", "parameter-encoding path color"},
	}},
	{"Style Examples: matrix, object, explode", []string{"in: path, style: matrix, explode: true, schema: " + object}, [][2]string{
		{";R=100;G=200;B=150", "ok"}, {";R=100", "required path color/G"}, {";R=256;G=1", "maximum path color/R"}, {"R=100;G=200", "parameter-encoding path color"},
		{";color=R,100,G,200", "undeclared-property path color/*"}, {";R=1;R=2;G=3", "parameter-encoding path color"}, {";R=1;G", "type path color/G"},
	}},

	{"Style Values: form, primitive", []string{"in: query, required: true, schema: " + text}, [][2]string{
		{"?color=blue", "ok"}, {"?color=", "ok"}, {"?color", "ok"}, {"", "required query color"}, {"?", "required query color"}, {"?color=red", "enum query color"},
		{"?color=a,b", "ok"}, {"?color=a%2Cb", "ok"}, {"?color=a+b", "ok"}, {"?color=a%20b", "ok"}, {"?c%6Flor=blue", "ok"}, {"?%2563olor=blue", "required query color"},
		{"?color=%2562lue", "enum query color"}, {"?color=%", "parameter-encoding query color"}, {"?color=%6", "parameter-encoding query color"}, {"?color=%ff", "parameter-encoding query color"},
		{"?color=blue]=x", "required query color"}, {"?color=blue%5d=x", "required query color"}, {"?color=blue]%3dx", "enum query color"}, {"?color=blue=]", "enum query color"},
		{"?color=blue&color=blue", "repeated-parameter query color"}, {"?color=blue&color=red", "repeated-parameter query color"}, {"?color=red&color=blue", "repeated-parameter query color"},
		{"?color=blue&shade=1", "undeclared-parameter query *"}, {"?color=blue&%zz=1", "undeclared-parameter query *"}, {"?color=blue&=1", "undeclared-parameter query *"},
		{"?color[]=blue", "required query color"}, {"?Color=blue", "required query color"},
	}},
	{"Style Values: form, primitive, no explode", []string{"in: query, explode: false, schema: " + number}, [][2]string{
		{"?color=100", "ok"}, {"", "ok"}, {"?color=256", "maximum query color"}, {"?color=1&color=256", "repeated-parameter query color"}, {"?color=0x1p2", "type query color"},
	}},
	{"Style Values: form, primitive: a boolean or a number", []string{"in: query, schema: {anyOf: [{type: boolean}, {type: number, minimum: 0.5}]}"}, [][2]string{
		{"?color=true", "ok"}, {"?color=false", "ok"}, {"?color=1", "ok"}, {"?color=0.5", "ok"}, {"?color=5e-1", "ok"}, {"?color=0.4", "any-of query color"}, {"?color=True", "any-of query color"},
		{"?color=", "any-of query color"}, {"?color=NaN", "any-of query color"}, {"?color=.5", "any-of query color"}, {"?color=1_0", "any-of query color"}, {"?color=%2B1", "any-of query color"}, {"?color=+1", "any-of query color"},
	}},
	{"Style Examples: form, array, explode", []string{"in: query, schema: " + array}, [][2]string{
		{"?color=blue&color=black&color=brown", "ok"}, {"?color=blue", "ok"}, {"", "ok"}, {"?color=blue&color=red", "enum query color/1"}, {"?color=red&color=blue", "enum query color/0"},
		{"?color=blue&color=blue&color=blue&color=blue", "max-items query color"}, {"?color=blue,black", "enum query color/0"}, {"?color=a,b", "ok"},
		{"?color=a%26b&color=blue", "ok"}, {"?color=blue&color=%zz", "parameter-encoding query color"}, {"?color=", "enum query color/0"}, {"?color[]=blue", "undeclared-parameter query *"},
		{"?color[50000000]=blue", "undeclared-parameter query *"}, {"?color=blue&color[1]=black", "undeclared-parameter query *"},
	}},
	{"Style Examples: form, array", []string{"in: query, explode: false, schema: " + array}, [][2]string{
		{"?color=blue,black,brown", "ok"}, {"?color=blue", "ok"}, {"?color=blue,red", "enum query color/1"}, {"?color=", "min-items query color"},
		{"?color=a%2Cb,blue", "ok"}, {"?color=blue,black&color=brown", "repeated-parameter query color"}, {"?color=blue,%zz", "parameter-encoding query color"},
		{"?color=blue,,black", "enum query color/1"}, {"?color=blue|black", "enum query color/0"},
	}},
	{"Style Examples: form, object, explode", []string{"in: query, required: true, schema: " + object}, [][2]string{
		{"?R=100&G=200&B=150", "ok"}, {"?B=150&G=200&R=100", "ok"}, {"?R=100", "required query color/G"}, {"", "required query color"}, {"?R=256&G=1", "maximum query color/R"},
		{"?R=1&R=2&G=3", "repeated-parameter query color"}, {"?R=%zz&G=1", "parameter-encoding query color"}, {"?R=1&G=2&A=3", "undeclared-parameter query *"},
		{"?color=R,100,G,200", "required query color"}, {"?color[R]=100&color[G]=200", "required query color"}, {"?%52=100&G=200", "ok"},
	}},
	{"Style Examples: form, object", []string{"in: query, explode: false, schema: " + object}, [][2]string{
		{"?color=R,100,G,200,B,150", "ok"}, {"?color=R,100", "required query color/G"}, {"?color=R,256,G,1", "maximum query color/R"}, {"?color=R,1,G", "parameter-encoding query color"},
		{"?R=100&G=200", "undeclared-parameter query *"}, {"?color=R,1,%52,2,G,3", "parameter-encoding query color"}, {"?color=R,1,G,2,%ff,3", "parameter-encoding query color"}, {"?color=R,1,G,2,A,3", "undeclared-property query color/*"},
		{"?color=R,1,G,2&color=R,1,G,2", "repeated-parameter query color"},
	}},

	{"Style Examples: spaceDelimited, array", []string{"in: query, style: spaceDelimited, explode: false, schema: " + array}, [][2]string{
		{"?color=blue%20black%20brown", "ok"}, {"?color=blue+black", "ok"}, {"?color=blue", "ok"}, {"?color=blue%20red", "enum query color/1"}, {"?color=a,b%20blue", "ok"},
		{"?color=blue%20blue+blue%20blue", "max-items query color"}, {"?color=blue&color=black", "repeated-parameter query color"}, {"?color=blue,black", "enum query color/0"},
		{"?color=blue%2520black", "enum query color/0"},
	}},
	{"explode: separate parameters for each value of the array; spaceDelimited", []string{"in: query, style: spaceDelimited, explode: true, schema: " + array}, [][2]string{
		{"?color=blue&color=black", "ok"}, {"?color=a%20b", "ok"}, {"?color=blue%20black", "enum query color/0"}, {"?color=blue&color=red", "enum query color/1"},
	}},
	{"Style Examples: spaceDelimited, object", []string{"in: query, style: spaceDelimited, schema: " + object}, [][2]string{
		{"?color=R%20100%20G%20200%20B%20150", "ok"}, {"?color=R+100+G+200", "ok"}, {"?color=R%20100", "required query color/G"}, {"?color=R%20256%20G%201", "maximum query color/R"},
		{"?color=R%201%20G", "parameter-encoding query color"},
	}},
	{"explode: separate parameters for each pair of the map; spaceDelimited", []string{"in: query, style: spaceDelimited, explode: true, schema: " + object}, [][2]string{
		{"?R=100&G=200", "ok"}, {"?R=256&G=1", "maximum query color/R"}, {"?color=R%20100%20G%20200", "undeclared-parameter query *"},
	}},
	{"Style Examples: pipeDelimited, array", []string{"in: query, style: pipeDelimited, explode: false, schema: " + array}, [][2]string{
		{"?color=blue%7Cblack%7cbrown", "ok"}, {"?color=blue|black", "ok"}, {"?color=blue", "ok"}, {"?color=blue|red", "enum query color/1"}, {"?color=a,b|a%20b", "ok"},
		{"?color=blue|blue%7Cblue|blue", "max-items query color"}, {"?color=blue&color=black", "repeated-parameter query color"}, {"?color=blue%257Cblack", "enum query color/0"},
	}},
	{"explode: separate parameters for each value of the array; pipeDelimited", []string{"in: query, style: pipeDelimited, explode: true, schema: " + array}, [][2]string{
		{"?color=blue&color=black", "ok"}, {"?color=a|b", "ok"}, {"?color=a%7Cb", "ok"}, {"?color=blue|black", "enum query color/0"}, {"?color=blue&color=red", "enum query color/1"},
	}},
	{"Style Examples: pipeDelimited, object", []string{"in: query, style: pipeDelimited, schema: " + object}, [][2]string{
		{"?color=R%7C100%7CG%7C200%7CB%7C150", "ok"}, {"?color=R|100|G|200", "ok"}, {"?color=R|100", "required query color/G"}, {"?color=R|256|G|1", "maximum query color/R"},
		{"?color=R|100|G", "parameter-encoding query color"},
	}},

	{"Style Examples: deepObject, object, explode", []string{"in: query, style: deepObject, explode: true, required: true, schema: " + object}, [][2]string{
		{"?color[R]=100&color[G]=200&color[B]=150", "ok"}, {"?color%5BR%5D=100&color%5bG%5d=200", "ok"}, {"?color[R]=100", "required query color/G"}, {"", "required query color"},
		{"?color[R]=256&color[G]=1", "maximum query color/R"}, {"?color[R]=1&color[G]=2&color[A]=3", "undeclared-property query color/*"},
		{"?color[R]=1&color[R]=2&color[G]=3", "repeated-parameter query color"}, {"?color[R]=1&color%5BR%5D=2&color[G]=3", "repeated-parameter query color"},
		{"?color[R]=%zz&color[G]=1", "parameter-encoding query color"}, {"?color[R]=1&color[G]=2&color[G][x]=3", "repeated-parameter query color"},
		{"?color[R]=1&color[G]=2&color[]=3", "undeclared-parameter query *"}, {"?color[R]=1&color[G]=2&color[50000000]=x", "undeclared-property query color/*"},
		{"?color[R]=1&color[G]=2&color[B][50000000]=x", "undeclared-parameter query *"}, {"?color[R]=1&color[G]=2&color=x", "undeclared-parameter query *"},
		{"?color[R]=1&color[G]=2&color[B=3", "undeclared-parameter query *"}, {"?color%255BR%255D=1", "required query color"}, {"?R=1&G=2", "required query color"},
		{"?color[%ff]=1", "parameter-encoding query color"},
	}},
	{"Style Values: deepObject, object, no explode", []string{"in: query, style: deepObject, schema: {type: object, additionalProperties: {type: string, maxLength: 3}, properties: {R: {type: integer}}}"}, [][2]string{
		{"?color['R']=a", "undeclared-parameter query *"}, {"?color[%22R%22]=a", "undeclared-parameter query *"}, {"?color[r]=a", "undeclared-parameter query *"}, {"?color[Rs]=a", "ok"},
		{"?color[R]=100", "ok"}, {"?color[x]=100", "ok"}, {"?color[x]=1000", "max-length query color/*"}, {"?color[R]=x", "type query color/R"},
		{"?color[x]=1&color[x]=2", "repeated-parameter query color"}, {"?color[x][y]=1", "undeclared-parameter query *"},
	}},
	{"deepObject, array", []string{"in: query, style: deepObject, explode: true, required: true, schema: " + array}, [][2]string{
		{"?color[]=blue&color[]=black", "ok"}, {"?color[0]=blue&color[1]=black", "ok"}, {"?color%5B%5D=blue", "ok"}, {"?color[]=a%20b&color[]=a%2Cb", "ok"},
		{"", "required query color"}, {"?color[]=blue&color[]=red", "enum query color/1"}, {"?color[0]=red", "enum query color/0"},
		{"?color[]=blue&color[]=blue&color[]=blue&color[]=blue", "max-items query color"}, {"?color=blue", "required query color"},
		{"?color[1]=blue", "parameter-encoding query color"}, {"?color[0]=blue&color[2]=blue", "parameter-encoding query color"}, {"?color[50000000]=blue", "parameter-encoding query color"},
		{"?color[0]=blue&color[0]=blue", "repeated-parameter query color"}, {"?color[00]=blue", "parameter-encoding query color"}, {"?color[-0]=blue", "parameter-encoding query color"},
		{"?color[]=blue&color[1]=blue", "parameter-encoding query color"}, {"?color[0]=blue&color[]=blue", "parameter-encoding query color"}, {"?color[x]=blue", "parameter-encoding query color"},
		{"?color[][]=blue", "parameter-encoding query color"}, {"?color[0][a]=blue", "undeclared-parameter query *"}, {"?color[]=%ff", "parameter-encoding query color"},
	}},
	{"deepObject, nested", []string{"in: query, style: deepObject, explode: true, schema: " + nested}, [][2]string{
		{"?color[list][]=1&color[list][]=2", "ok"}, {"?color[list][0]=1&color[list][1]=2", "ok"}, {"?color[list][]=x", "type query color/list/0"}, {"?color[list][0]=1&color[list][1]=x", "type query color/list/1"},
		{"?color[map][a]=1&color[map][b]=x", "ok"}, {"?color[map][a]=x", "type query color/map/a"}, {"?color[map][b]=x", "required query color/map/a"}, {"?color[map]=x", "type query color/map"}, {"?color[list]=1", "type query color/list"},
		{"?color[rows][0][a]=1&color[rows][0][b]=x&color[rows][1][a]=2", "ok"}, {"?color[rows][0][a]=1&color[rows][1][b]=x", "required query color/rows/1/a"}, {"?color[rows][0][a]=1&color[rows][0][a]=1", "repeated-parameter query color"},
		{"?color[rows][][a]=1", "parameter-encoding query color"}, {"?color[rows][1][a]=1", "parameter-encoding query color"}, {"?color[rows][0][a]=1&color[rows][1][a]=1&color[rows][0][b]=x", "parameter-encoding query color"},
		{"?color[map][a]=1&color[list][]=1&color[map][b]=x", "repeated-parameter query color"}, {"?color[map][a]=1&color[map]=x", "repeated-parameter query color"}, {"?color[map]=x&color[map][a]=1", "repeated-parameter query color"},
		{"?color[map][a]=1&x=y&color[map][b]=x", "undeclared-parameter query *"}, {"?color[other]=1", "ok"}, {"?color[other][x][y]=1&color[other][x][z]=1&color[other][0]=1", "ok"}, {"?color[other][x]=1&color[map][a]=1&color[other][y]=1", "repeated-parameter query color"},
		{"?color[self][self][map][a]=1", "ok"}, {"?color[self][self][map][a]=x", "type query color/self/self/map/a"}, {"?color" + strings.Repeat("[self]", 63) + "[other]=1", "ok"}, {"?color" + strings.Repeat("[self]", 64) + "[other]=1", "depth query color"},
		{"?color[map[a]]=1", "undeclared-parameter query *"}, {"?color[map]a=1", "undeclared-parameter query *"}, {"?color[map][a=1", "undeclared-parameter query *"}, {"?color[map][]=1", "undeclared-parameter query *"},
		{"?color[text][a]=1", "undeclared-parameter query *"}, {"?color[text]=a&color[either]=b", "ok"}, {"?color[either][a]=1", "ok"}, {"?color[either][a]=1&color[either]=b", "repeated-parameter query color"},
	}},

	{"allowReserved, primitive", []string{"in: query, allowReserved: true, schema: {type: string, enum: ['/a?b:c@d', 'a=b', 'a b', 'a&b']}"}, [][2]string{
		{"?color=/a?b:c@d", "ok"}, {"?color=%2Fa%3Fb%3Ac%40d", "ok"}, {"?color=a=b", "ok"}, {"?color=a%26b", "ok"}, {"?color=a&b", "enum query color"}, {"?color=a+b", "ok"}, {"?color=/a?b:c@e", "enum query color"},
	}},
	{"allowReserved, array", []string{"in: query, allowReserved: true, explode: false, schema: {type: array, items: {enum: ['a/b', 'a?c']}}"}, [][2]string{
		{"?color=a/b,a?c", "ok"}, {"?color=a%2Fb,a%3Fc", "ok"}, {"?color=a/b,a", "enum query color/1"},
	}},
	{"allowEmptyValue, primitive", []string{"in: query, allowEmptyValue: true, schema: " + number}, [][2]string{
		{"?color=", "ok"}, {"?color", "ok"}, {"?color=1", "ok"}, {"?color=256", "maximum query color"}, {"?color=&color=", "repeated-parameter query color"}, {"?color=&color=256", "repeated-parameter query color"},
		{"?color=%20", "type query color"},
	}},
	{"allowEmptyValue, array, explode", []string{"in: query, allowEmptyValue: true, schema: " + array}, [][2]string{
		{"?color=", "ok"}, {"?color=blue", "ok"}, {"?color=&color=blue", "enum query color/0"}, {"?color=blue&color=", "enum query color/1"},
	}},
	{"allowEmptyValue, array", []string{"in: query, allowEmptyValue: true, explode: false, schema: " + array}, [][2]string{
		{"?color=", "ok"}, {"?color=blue", "ok"}, {"?color=red", "enum query color/0"},
	}},
	{"allowEmptyValue is ignored where a style has no empty value", []string{"in: query, style: pipeDelimited, allowEmptyValue: true, schema: " + array}, [][2]string{
		{"?color=", "min-items query color"}, {"?color=blue|black", "ok"},
	}},

	{"form, array of numbers, with escaped commas", []string{"in: query, explode: false, schema: {type: array, maxItems: 2, items: {type: integer}}"}, [][2]string{
		{"?color=1%2C2", "ok"}, {"?color=1%2c2", "ok"}, {"?color=1,2%2C3", "max-items query color"}, {"?color=1%2C2,3", "max-items query color"}, {"?color=1%2Cx", "type query color/1"}, {"?color=1%252C2", "type query color/0"},
	}},
	{"content, in a query", []string{"in: query, content: {application/json: {schema: " + object + "}}"}, [][2]string{
		{`?color={"R":100,"G":200}`, "ok"}, {`?color=%7B%22R%22:100,%22G%22:200%7D`, "ok"}, {`?color={"R":100}`, "required query color/G"}, {`?color={"R":256,"G":1}`, "maximum query color/R"},
		{`?color={"R":1,"G":2}x`, "json query color"}, {`?color={"R":1,"R":2,"G":3}`, "duplicate-name query color"}, {`?color=`, "json query color"}, {`?color=%7B%zz`, "parameter-encoding query color"},
		{`?color={"R":1,"G":2}&color={"R":1,"G":2}`, "repeated-parameter query color"}, {`?color=R,1,G,2`, "json query color"}, {`?color=%257B`, "json query color"},
	}},
	{"content, in a path", []string{"in: path, content: {application/json: {schema: " + array + "}}"}, [][2]string{
		{`["blue"]`, "ok"}, {`%5B%22blue%22%5D`, "ok"}, {`["red"]`, "enum path color/0"}, {`blue`, "json path color"},
	}},
	{"content, in a header", []string{"in: header, content: {application/vnd.shop+json: {schema: " + array + "}}"}, [][2]string{
		{`color: ["blue", "black"]`, "ok"}, {`color: ["red"]`, "enum header color/0"}, {`color: %5B%5D`, "json header color"}, {"", "ok"},
	}},
	{"content, in a cookie", []string{"in: cookie, content: {application/json: {schema: " + array + "}}"}, [][2]string{
		{`cookie: color=%5B%22blue%22%5D`, "ok"}, {`cookie: color=%5B%22red%22%5D`, "enum cookie color/0"}, {`cookie: color=x`, "json cookie color"},
	}},
	{"content without a schema (GHSA-jpcw-4wr7-c3vq)", []string{"in: query, content: {application/json: {}}"}, [][2]string{
		{`?color={"a":[1]}`, "ok"}, {`?color={`, "json query color"},
	}},
	{"content that is text", []string{"in: query, content: {text/plain: {schema: " + text + "}}"}, [][2]string{
		{"?color=blue", "ok"}, {"?color=%62lue", "ok"}, {"?color=red", "enum query color"}, {"?color=blue&color=red", "repeated-parameter query color"},
	}},
	{"content of another type", []string{"in: query, required: true, content: {application/xml: {schema: " + object + "}}"}, [][2]string{
		{"?color=<a/>", "ok"}, {"", "required query color"},
	}},

	{"Style Values: simple in a header, primitive", []string{"in: header, required: true, schema: " + text}, [][2]string{
		{"color: blue", "ok"}, {"COLOR: blue", "ok"}, {"color: red", "enum header color"}, {"color: %62lue", "enum header color"}, {"", "required header color"},
		{"the_color: red\ncolor: blue", "ok"}, {"color: blue\ncolor: blue", "repeated-parameter header color"}, {"color: a,b", "ok"}, {"color: a+b", "enum header color"},
	}},
	{"Style Examples: simple in a header, array", []string{"in: header, schema: " + array}, [][2]string{
		{"color: blue,black,brown", "ok"}, {"color: blue, black", "ok"}, {"color: blue,red", "enum header color/1"}, {"color: blue%2Cblack", "enum header color/0"}, {"color:", "min-items header color"}, {"color: blue\ncolor: black", "repeated-parameter header color"},
	}},
	{"Style Examples: simple in a header, array, explode", []string{"in: header, explode: true, schema: " + array}, [][2]string{
		{"color: blue,black", "ok"}, {"color: blue,red", "enum header color/1"},
	}},
	{"Style Examples: simple in a header, object", []string{"in: header, schema: " + object}, [][2]string{
		{"color: R,100,G,200", "ok"}, {"color: R, 100, G, 200", "ok"}, {"color: R,100", "required header color/G"}, {"color: R,256,G,1", "maximum header color/R"}, {"color: R,1,G", "parameter-encoding header color"},
	}},
	{"Style Examples: simple in a header, object, explode", []string{"in: header, explode: true, schema: " + object}, [][2]string{
		{"color: R=100,G=200", "ok"}, {"color: R=100, G=200", "ok"}, {"color: R=100", "required header color/G"}, {"color: R,1,G,2", "parameter-encoding header color"}, {"color: R=1,R=2,G=3", "parameter-encoding header color"},
	}},

	{"Style Values: form in a cookie, primitive", []string{"in: cookie, required: true, schema: " + text}, [][2]string{
		{"cookie: color=blue", "ok"}, {"cookie: a=b; color=blue", "ok"}, {"cookie: color=%62lue", "ok"}, {"cookie: color=red", "enum cookie color"}, {"", "required cookie color"},
		{"cookie: color=blue; color=blue", "repeated-parameter cookie color"}, {"cookie: color=%zz", "parameter-encoding cookie color"}, {"cookie: color=a+b", "enum cookie color"},
		{"cookie: color=blue; a=b color=red", "parameter-encoding cookie color"}, {"cookie: a=b, color=red; color=blue", "parameter-encoding cookie color"}, {"cookie: a=b; \xa0color=red; color=blue", "parameter-encoding cookie color"},
		{`cookie: a="b, color=red"; color=blue`, "parameter-encoding cookie color"}, {"cookie: color[]=red; color=blue", "parameter-encoding cookie color"}, {"cookie: a=b color=red", "parameter-encoding cookie color"},
		{"cookie: color=blue; a=color=red; b=/color=red; mycolor=red; color2=red; a=color red", "ok"},
	}},
	{"RFC 6265: a cookie in quotes", []string{"in: cookie, schema: {type: string, minLength: 1}"}, [][2]string{
		{`cookie: color=a"b"`, "ok"}, {`cookie: color=""`, "parameter-encoding cookie color"}, {`cookie: color="\074a\076"`, "parameter-encoding cookie color"},
	}},
	{"RFC 6265: a cookie in quotes, content", []string{"in: cookie, content: {application/json: {schema: {type: string}}}"}, [][2]string{
		{`cookie: color="a"`, "ok"},
	}},
	{"a header that is one's own to CGI alone", []string{"name: x-color, in: header, required: true, schema: {type: string}"}, [][2]string{
		{"x-color: a", "ok"}, {"x_color: a", "required header x-color"},
	}},
	{"Style Examples: form in a cookie, array", []string{"in: cookie, explode: false, schema: " + array}, [][2]string{
		{"cookie: color=blue,black,brown", "ok"}, {"cookie: color=blue,red", "enum cookie color/1"}, {"cookie: color=a%2Cb", "ok"}, {"cookie: color=", "min-items cookie color"},
	}},
	{"Style Examples: form in a cookie, array, explode", []string{"in: cookie, schema: " + array}, [][2]string{
		{"cookie: color=blue&color=black&color=brown", "ok"}, {"cookie: color=blue", "ok"}, {"cookie: color=blue&color=red", "enum cookie color/1"}, {"cookie: color=blue&black", "parameter-encoding cookie color"},
		{"cookie: color=blue&x=black", "parameter-encoding cookie color"}, {"cookie: color=blue,black", "enum cookie color/0"}, {"cookie: color=blue; color=black", "repeated-parameter cookie color"}, {"cookie: color=a%26b", "ok"},
	}},
	{"Style Examples: form in a cookie, object", []string{"in: cookie, explode: false, schema: " + object}, [][2]string{
		{"cookie: color=R,100,G,200", "ok"}, {"cookie: color=R,100", "required cookie color/G"}, {"cookie: color=R,256,G,1", "maximum cookie color/R"}, {"cookie: color=R,1,G", "parameter-encoding cookie color"},
	}},
	{"an exploded object in a cookie has no cookie with its name", []string{"in: cookie, required: true, schema: " + object}, [][2]string{
		{"cookie: R=100; G=200", "ok"}, {"", "ok"},
	}},

	{"Style Examples: form, primitive or array, explode", []string{"in: query, schema: " + either}, [][2]string{
		{"?color=5", "ok"}, {"?color=blue", "ok"}, {"?color=blue&color=black", "ok"}, {"?color=red", "any-of query color"}, {"?color=10", "any-of query color"},
		{"?color=5&color=5", "any-of query color"}, {"?color=%zz", "parameter-encoding query color"},
	}},
	{"Style Examples: form, primitive or array", []string{"in: query, explode: false, schema: " + either}, [][2]string{
		{"?color=5", "ok"}, {"?color=blue,black", "ok"}, {"?color=red", "any-of query color"}, {"?color=5,5", "any-of query color"}, {"?color=5&color=6", "repeated-parameter query color"},
	}},
	{"Style Examples: simple, primitive or array", []string{"in: path, schema: " + either}, [][2]string{
		{"5", "ok"}, {"blue,black", "ok"}, {"red", "any-of path color"}, {"10", "any-of path color"},
	}},
	{"Style Examples: label, primitive or array, explode", []string{"in: path, style: label, explode: true, schema: " + either}, [][2]string{
		{".5", "ok"}, {".blue.black", "ok"}, {".red", "any-of path color"}, {"5", "parameter-encoding path color"},
	}},
	{"Style Examples: deepObject, object or primitive", []string{"in: query, style: deepObject, explode: true, required: true, schema: " + choice}, [][2]string{
		{"?color=5", "ok"}, {"?color[R]=1&color[G]=2", "ok"}, {"?color=10", "any-of query color"}, {"?color[R]=1", "any-of query color"}, {"", "required query color"},
		{"?color=5&color[R]=1&color[G]=2", "repeated-parameter query color"}, {"?color=5&color=5", "repeated-parameter query color"}, {"?color=x", "any-of query color"},
	}},
	{"Style Examples: form, object or primitive, explode", []string{"in: query, schema: " + choice}, [][2]string{
		{"?color=5", "ok"}, {"?R=1&G=2", "ok"}, {"?color=10", "any-of query color"}, {"?R=1", "any-of query color"}, {"?R=1&G=2&color=5", "repeated-parameter query color"},
	}},
	{"Style Examples: form, object or primitive", []string{"in: query, explode: false, schema: " + choice}, [][2]string{
		{"?color=5", "ok"}, {"?color=R,1,G,2", "ok"}, {"?color=10", "parameter-encoding query color"}, {"?color=R,1", "any-of query color"},
	}},

	{"Style Examples: form, object, explode, with additionalProperties", []string{"in: query, schema: " + open, "name: page, in: query, schema: {type: integer}"}, [][2]string{
		{"?R=100&G=200", "ok"}, {"?R=100&name=x", "ok"}, {"", "ok"}, {"?R=256&G=1", "maximum query color/*"}, {"?R=x&G=1", "type query color/*"}, {"?name=abcde&G=1", "max-length query color/name"},
		{"?R=1&R=2", "repeated-parameter query color"}, {"?R=1&page=1", "min-properties query color"}, {"?R=1&G=2&page=1", "ok"}, {"?R=1&G=2&page=x", "type query page"},
		{"?R[x]=1&G=2&B=3", "undeclared-parameter query *"}, {"?R[0]=1&G=2&B=3", "undeclared-parameter query *"}, {"?%zz=1&G=2&B=3", "undeclared-parameter query *"}, {"?R=%zz&G=2", "parameter-encoding query color"},
		{"?=1&G=2&B=3", "undeclared-parameter query *"}, {"?%52=1&R=2", "repeated-parameter query color"},
		{"?%20name=1&G=2&B=3", "undeclared-parameter query *"}, {"?name%00=1&G=2&B=3", "undeclared-parameter query *"}, {"?page%00x=1&G=2&B=3", "undeclared-parameter query *"},
		{"?_method=1&G=2&B=3", "undeclared-parameter query *"}, {"?color=1&G=2&B=3", "ok"}, {"?names=1&G=2&B=3", "ok"},
	}},
	{"two exploded objects with additionalProperties", []string{"in: query, required: true, schema: " + open, "name: more, in: query, schema: " + open}, [][2]string{
		{"?R=anything", "ok"}, {"", "required query color"}, {"?R[x]=1", "required query color"},
	}},
	{"Style Examples: form, object, explode, silent on additionalProperties", []string{"in: query, schema: {type: object, properties: {R: {type: integer}}}"}, [][2]string{
		{"?R=1", "ok"}, {"?R=1&other=2", "undeclared-parameter query *"},
	}},
	{"Style Examples: simple, object, with additionalProperties", []string{"in: path, schema: {type: object, additionalProperties: {type: string, maxLength: 2}}"}, [][2]string{
		{"a,1,b,x", "ok"}, {"a,100", "max-length path color/*"},
	}},
	{"an exploded object beside one with additionalProperties", []string{"in: query, schema: {type: object, additionalProperties: {type: string}}", "name: more, in: query, schema: {type: object, properties: {role: {enum: [user]}}, additionalProperties: false}"}, [][2]string{
		{"?role=user&other=1", "ok"}, {"?role=admin", "enum query more/role"}, {"?role.x=admin", "undeclared-parameter query *"}, {"?_role=admin", "undeclared-parameter query *"}, {"?Role=admin", "undeclared-parameter query *"},
	}},
	{"a deepObject beside an object with additionalProperties", []string{"in: query, schema: {type: object, additionalProperties: {type: string}}", "name: more, in: query, style: deepObject, explode: true, schema: {type: object, properties: {role: {enum: [user]}}}"}, [][2]string{
		{"?role=admin&more[role]=user", "ok"}, {"?more[role]=admin", "enum query more/role"}, {"?More[role]=admin", "undeclared-parameter query *"},
	}},
}

// Components of the specification.
const (
	nestedMap       = `{type: object, required: [a], properties: {a: {type: integer}, b: {type: string}}}`
	nestedComponent = `{type: object, properties: {list: {type: array, items: {type: integer}}, map: {$ref: '#/components/schemas/Map'},
  rows: {type: array, items: {$ref: '#/components/schemas/Map'}}, self: {$ref: '#/components/schemas/Nested'}, text: {type: string},
  either: {anyOf: [{type: string}, {$ref: '#/components/schemas/Map'}]}}}`
)

// parameterSpec declares an operation for each group, "/0" and so on.
func parameterSpec(version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "openapi: %s\ninfo: {title: Parameters, version: '1'}\ncomponents: {schemas: {Map: %s, Nested: %s}}\npaths:\n", version, nestedMap, nestedComponent)
	for i, group := range parameters {
		path := fmt.Sprintf("/%d", i)
		if strings.HasPrefix(group.parameters[0], "in: path") {
			path += "/{color}"
		}
		fmt.Fprintf(&b, "  %s:\n    get:\n      responses: {'200': {description: ok}}\n      parameters:\n", path)
		for _, p := range group.parameters {
			if !strings.HasPrefix(p, "name:") {
				p = "name: color, " + p
			}
			if strings.Contains(p, "in: path") {
				p += ", required: true"
			}
			fmt.Fprintf(&b, "      - {%s}\n", p)
		}
	}
	return b.String()
}

func parameterEngine(t testing.TB, version string, mode violation.Mode) *enforce.Engine {
	path := filepath.Join(t.TempDir(), "parameters.yaml")
	if err := os.WriteFile(path, []byte(parameterSpec(version)), 0o600); err != nil {
		t.Fatal(err)
	}
	return compiled(t, path, inMode(mode))
}

// parameterRequest is the request of a row of the i-th group.
func parameterRequest(t testing.TB, i int, row string) message {
	target, header := fmt.Sprintf("/%d", i), ""
	switch in := parameters[i].parameters[0]; {
	case strings.HasPrefix(in, "in: path"):
		target += "/" + row
	case strings.HasPrefix(in, "in: query"):
		target += row
	default:
		header = row
	}
	return parse(t, "GET "+target+"\n"+header)
}

// Every style, with and without explode, of every type: the OAS's section on
// parameters, what it refers to, and what attackers make of it.
func TestParameterConformance(t *testing.T) {
	passed, total := 0, 0
	for _, version := range []string{"3.0.3", "3.1.1"} {
		for _, mode := range []violation.Mode{violation.Enforce, violation.Shadow} {
			e := parameterEngine(t, version, mode)
			for i, group := range parameters {
				for _, row := range group.rows {
					want := allowed
					if row[1] != "ok" {
						want = "validation:" + row[1]
					}
					got := judge(e, parameterRequest(t, i, row[0]), 0, false)
					total++
					// Shadow finds the same violation first, and perhaps more.
					if got != want && !(mode == violation.Shadow && strings.HasPrefix(got, want+"; ")) {
						t.Errorf("OpenAPI %s, %s: %s: {%s}\n%s\n got %s\nwant %s", version, mode, group.section, group.parameters[0], row[0], got, want)
						continue
					}
					passed++
				}
			}
		}
	}
	t.Logf("conformance: %-26s %5d/%-5d of %d rows, in OpenAPI 3.0 and 3.1, in both modes", "parameters", passed, total, total/4)
	if total/4 < 420 {
		t.Errorf("only %d rows", total/4)
	}
}

func TestJudgingParametersAllocatesNothing(t *testing.T) {
	for _, mode := range []violation.Mode{violation.Enforce, violation.Shadow} {
		e := parameterEngine(t, "3.1.1", mode)
		var messages []message
		for i, group := range parameters {
			for _, row := range group.rows {
				messages = append(messages, parameterRequest(t, i, row[0]))
			}
		}
		n := testing.AllocsPerRun(5, func() {
			for _, m := range messages {
				drive(e, m)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations in %d requests", mode, n, len(messages))
		}
	}
}

// FuzzParameters: whatever a parameter holds, enforce rejects it where shadow
// would, and for the violation that shadow finds first.
func FuzzParameters(f *testing.F) {
	for i, group := range parameters {
		for _, row := range group.rows {
			f.Add(uint8(i), row[0])
		}
	}
	enforcing := parameterEngine(f, "3.1.1", violation.Enforce)
	shadowing := parameterEngine(f, "3.1.1", violation.Shadow)
	f.Fuzz(func(t *testing.T, i uint8, row string) {
		m := parameterRequest(t, int(i)%len(parameters), row)
		got, first := judge(enforcing, m, 0, false), judge(shadowing, m, 0, false)
		if first, _, _ = strings.Cut(first, "; "); got != first {
			t.Errorf("%q: enforce says %s, shadow %s", row, got, first)
		}
	})
}
