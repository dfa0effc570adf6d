# Makes the C table behind api.h from envoy.api, which explains its own form.
# The file is read twice: names first, since a field may name a later message.
BEGIN {
	FS = "\t"
	n = split("bool int32 int64 uint32 uint64 float double string bytes", word, " ")
	for (i = 1; i <= n; i++)
		scalar[word[i]] = "API_" toupper(word[i])
	scalar["google.protobuf.Any"] = "API_ANY"
	scalar["google.protobuf.Duration"] = "API_DURATION"
	scalar["google.protobuf.Struct"] = "API_STRUCT"
	scalar["google.protobuf.Value"] = "API_VALUE"
	scalar["google.protobuf.Empty"] = "API_EMPTY"
	print "/* Made by api.awk from envoy.api. */"
	print "#include \"config.h\""
	print ""
	print "#include \"config/api.h\""
	print ""
}

/^#/ { next }

FNR == NR {
	split($1, head, " ")
	if (head[1] == "enum")
		enum_at[head[2]] = n_enums++
	else if (head[1] == "message")
		message_at[head[2]] = n_messages++
	next
}

/^enum / {
	split($1, head, " ")
	owner = "enum"
	enums[n_out_enums++] = head[2]
	enum_first[n_out_enums - 1] = n_values
	next
}

/^message / {
	split($1, head, " ")
	owner = "message"
	messages[n_out_messages++] = head[2]
	message_first[n_out_messages - 1] = n_fields
	next
}

owner == "enum" {
	values[n_values++] = "\t{ \"" $2 "\", " $3 ", " ($4 ? "true" : "false") " },"
	next
}

substr($2, 1, 1) == "?" {
	group = substr($2, 2)
	old = needed[n_out_messages - 1]
	needed[n_out_messages - 1] = old ? old "," group : group
	next
}

{
	first_rule = n_rules + 0
	oneof = "NULL"
	deprecated = disallowed = "false"
	for (i = 4; i <= NF; i++)
		add_rule($i)
	fields[n_fields++] = "\t{ \"" $2 "\", " oneof ", " type_of($3) ", " \
	    first_rule ", " n_rules - first_rule ", " deprecated ", " \
	    disallowed " },"
}

function type_of(text,	label, presence, kind, at)
{
	label = "API_ONE"
	if (substr(text, 1, 2) == "[]")
		label = "API_LIST"
	else if (substr(text, 1, 2) == "{}")
		label = "API_MAP"
	if (label != "API_ONE")
		text = substr(text, 3)
	presence = "false"
	if (text ~ /\?$/) {
		presence = "true"
		sub(/\?$/, "", text)
	}
	at = 0
	if (text in scalar) {
		kind = scalar[text]
	} else if (text in enum_at) {
		kind = "API_ENUM"
		at = enum_at[text]
	} else if (text in message_at) {
		kind = "API_MESSAGE"
		at = message_at[text]
	} else {
		kind = "API_OPAQUE"
	}
	return kind ", " label ", " presence ", " at
}

function add_rule(text,	about, name, value, eq)
{
	about = "API_WHOLE"
	if (sub(/^item\./, "", text))
		about = "API_ITEM"
	else if (sub(/^key\./, "", text))
		about = "API_KEY"
	eq = index(text, "=")
	name = eq ? substr(text, 1, eq - 1) : text
	value = eq ? substr(text, eq + 1) : ""
	if (name == "of") {
		oneof = quoted(value)
		return
	}
	if (name == "deprecated") {
		deprecated = "true"
		return
	}
	if (name == "disallowed") {
		disallowed = "true"
		return
	}
	rules[n_rules++] = "\t{ API_" toupper(name) ", " about ", " \
	    number(value) ", " quoted(value) " },"
}

# Not by gsub, in whose replacements awks differ about the backslash.
function quoted(text,	i, c, out)
{
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		out = out (c == "\\" || c == "\"" ? "\\" c : c)
	}
	return "\"" out "\""
}

function number(text)
{
	if (text !~ /^-?[0-9.e+-]+$/)
		return "0"
	return text ~ /[.e]/ ? text : text ".0"
}

function print_list(head, list, n,	i)
{
	print head " = {"
	for (i = 0; i < n; i++)
		print list[i]
	print "};"
	print ""
}

END {
	print_list("const struct api_rule api_rules[]", rules, n_rules)
	print_list("const struct api_field api_fields[]", fields, n_fields)
	print_list("const struct api_value api_values[]", values, n_values)
	enum_first[n_out_enums] = n_values
	message_first[n_out_messages] = n_fields
	for (i = 0; i < n_out_enums; i++)
		enums[i] = "\t{ \"" enums[i] "\", " enum_first[i] + 0 ", " \
		    enum_first[i + 1] - enum_first[i] " },"
	for (i = 0; i < n_out_messages; i++)
		messages[i] = "\t{ \"" messages[i] "\", " \
		    (i in needed ? quoted(needed[i]) : "NULL") ", " \
		    message_first[i] + 0 ", " \
		    message_first[i + 1] - message_first[i] " },"
	print_list("const struct api_enum api_enums[]", enums, n_out_enums)
	print_list("const struct api_message api_messages[]", messages, \
	    n_out_messages)
	print "const size_t api_n_messages = " n_out_messages ";"
}
