package configs

import (
	"encoding"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// decoder sets Go values from a decoded TOML document. Unlike the TOML library's
// own decoder it does not stop at the first mistake, compares the names of keys
// exactly and never repeats a value in a message.
type decoder struct{ problems collector }

// value sets *out, keeping what it was where the value is refused.
func (d *decoder) value(path string, value, out any) {
	switch out := out.(type) {
	case *Gateways:
		d.gateways(path, value, out)
	case *PlatformKeys:
		d.platformKeys(path, value, out)
	case *KeyFile:
		d.keyFile(path, value, out)
	case *Scanner:
		d.scanner(path, value, out)
	case *Display:
		d.display(path, value, out)
	case *time.Duration:
		d.duration(path, value, out)
	case *slog.Level:
		d.level(path, value, out)
	case encoding.TextUnmarshaler:
		d.text(path, value, out)
	default:
		d.plain(path, value, reflect.ValueOf(out).Elem())
	}
}

func (d *decoder) plain(path string, value any, out reflect.Value) {
	switch out.Kind() {
	case reflect.String:
		if text, ok := value.(string); ok {
			out.SetString(text)
		} else {
			d.wrongType(path, "a string in quotes", value)
		}
	case reflect.Int:
		number, ok := value.(int64)
		switch {
		case !ok:
			d.wrongType(path, "a whole number", value)
		case out.OverflowInt(number):
			d.problems.addf(path, "the number is too large")
		default:
			out.SetInt(number)
		}
	case reflect.Struct:
		if table, ok := value.(map[string]any); ok {
			d.table(path, table, out.Addr().Interface())
		} else {
			d.wrongType(path, "a table", value)
		}
	case reflect.Slice:
		d.list(path, value, out)
	default:
		panic("configs: a field of type " + out.Type().String() + " has no form in TOML")
	}
}

// table sets the fields of one or more structs, which share a table.
func (d *decoder) table(path string, table map[string]any, structs ...any) {
	fields := map[string]any{}
	var known []string
	for _, s := range structs {
		v := reflect.ValueOf(s).Elem()
		for _, field := range reflect.VisibleFields(v.Type()) {
			if name := tomlName(field); name != "" {
				fields[name] = v.FieldByIndex(field.Index).Addr().Interface()
				known = append(known, name)
			}
		}
	}
	for _, key := range sortedKeys(table) {
		if field, ok := fields[key]; ok {
			d.value(join(path, key), table[key], field)
		} else {
			d.problems.addf(join(path, key), "unknown key; known here: %s", strings.Join(known, ", "))
		}
	}
}

func (d *decoder) list(path string, value any, out reflect.Value) {
	elements, ok := value.([]any)
	if !ok {
		want := "a list in brackets"
		if out.Type().Elem().Kind() == reflect.Struct {
			want = fmt.Sprintf("a list of tables: write [[%s]] for each", path)
		}
		d.wrongType(path, want, value)
		return
	}
	list := reflect.MakeSlice(out.Type(), len(elements), len(elements))
	for i, element := range elements {
		d.value(index(path, i), element, list.Index(i).Addr().Interface())
	}
	out.Set(list)
}

func (d *decoder) duration(path string, value any, out *time.Duration) {
	text, ok := value.(string)
	parsed, err := time.ParseDuration(text)
	if !ok || err != nil {
		d.problems.addf(path, `must be a duration in quotes, such as "50ms", "30s" or "1m30s"`)
		return
	}
	*out = parsed
}

// logLevels are the words for levels, in order of what they leave out.
var logLevels = []struct {
	word  string
	level slog.Level
}{{"debug", slog.LevelDebug}, {"info", slog.LevelInfo}, {"warn", slog.LevelWarn}, {"error", slog.LevelError}}

func (d *decoder) level(path string, value any, out *slog.Level) {
	for _, l := range logLevels {
		if value == l.word {
			*out = l.level
			return
		}
	}
	d.problems.addf(path, "use one of debug, info, warn, error, in quotes")
}

func (d *decoder) text(path string, value any, out encoding.TextUnmarshaler) {
	text, ok := value.(string)
	if !ok {
		d.wrongType(path, "a string in quotes", value)
		return
	}
	if err := out.UnmarshalText([]byte(text)); err != nil {
		d.problems.addf(path, "%v", err)
	}
}

func (d *decoder) wrongType(path, want string, value any) {
	d.problems.addf(path, "must be %s, not %s", want, typeName(value))
}

func typeName(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case int64:
		return "a whole number"
	case float64:
		return "a number with a decimal point"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}

// tomlName is the key of a field, empty for one that is not in the file.
func tomlName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
	if name == "-" {
		return ""
	}
	return name
}

func sortedKeys(table map[string]any) []string { return slices.Sorted(maps.Keys(table)) }
