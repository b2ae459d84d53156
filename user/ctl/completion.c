// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bash completion, written from the table of commands. Names of peerings, nics and vnets are asked
 * of the daemon by the completion itself (`xrsctl completion bash NOUN`). Pure.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

/* Whether row @index is the first with its noun. */
static bool first_of_noun(size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (strcmp(ctl_commands[i].noun, ctl_commands[index].noun) == 0)
			return false;
	}
	return true;
}

static void put_nouns(struct json_out *out)
{
	ctl_put(out, "\tlocal nouns=\"");
	for (size_t i = 0; i < ctl_n_commands; i++) {
		if (first_of_noun(i))
			ctl_put(out, "%s%s", i ? " " : "", ctl_commands[i].noun);
	}
	ctl_put(out, "\"\n");
}

static void put_verbs(struct json_out *out)
{
	ctl_put(out, "\tcase $noun in\n");
	for (size_t i = 0; i < ctl_n_commands; i++) {
		if (!first_of_noun(i))
			continue;
		ctl_put(out, "\t%s) verbs=\"", ctl_commands[i].noun);
		for (size_t j = i; j < ctl_n_commands; j++) {
			if (strcmp(ctl_commands[i].noun, ctl_commands[j].noun) == 0 &&
			    ctl_commands[j].verb)
				ctl_put(out, "%s%s", j > i ? " " : "", ctl_commands[j].verb);
		}
		ctl_put(out, "\" ;;\n");
	}
	ctl_put(out, "\tesac\n");
}

static void put_flags(struct json_out *out)
{
	ctl_put(out, "\tcase $noun-$verb in\n");
	for (size_t i = 0; i < ctl_n_commands; i++) {
		char words[CTL_TEXT], kebab[64], *save = NULL;

		if (!*ctl_commands[i].params)
			continue;
		snprintf(words, sizeof(words), "%s", ctl_commands[i].params);
		ctl_put(out, "\t%s-%s) flags=\"", ctl_commands[i].noun, ctl_commands[i].verb);
		for (char *word = strtok_r(words, " *" CTL_KINDS, &save); word;
		     word = strtok_r(NULL, " *" CTL_KINDS, &save))
			ctl_put(out, "--%s ", ctl_kebab(word, kebab, sizeof(kebab)));
		ctl_put(out, "\" ;;\n");
	}
	ctl_put(out, "\tesac\n");
}

void ctl_completion(struct json_out *out)
{
	ctl_put(out, "# bash completion for xrsctl\n"
		     "_xrsctl() {\n"
		     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		     "\tlocal noun= verb= verbs= flags= word i\n");
	put_nouns(out);
	ctl_put(out, "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		     "\t\tword=${COMP_WORDS[i]}\n"
		     "\t\t[[ ${COMP_WORDS[i-1]} == -s ]] && continue\n"
		     "\t\tif [[ $word == -* ]]; then :\n"
		     "\t\telif [[ -z $noun ]]; then noun=$word\n"
		     "\t\telif [[ -z $verb ]]; then verb=$word; fi\n"
		     "\tdone\n");
	put_verbs(out);
	put_flags(out);
	ctl_put(out,
		"\tif [[ $prev == -s ]]; then COMPREPLY=($(compgen -f -- \"$cur\"))\n"
		"\telif [[ -z $noun ]]; then COMPREPLY=($(compgen -W \"$nouns\" -- \"$cur\"))\n"
		"\telif [[ -z $verb && -n $verbs ]]; then COMPREPLY=($(compgen -W \"$verbs\" -- "
		"\"$cur\"))\n"
		"\telif [[ $cur == -* ]]; then COMPREPLY=($(compgen -W \"$flags -j -p -w -s "
		"--no-header\" -- \"$cur\"))\n"
		"\telif [[ $prev == --vnet ]]; then COMPREPLY=($(compgen -W \"$(xrsctl completion "
		"bash vnet 2>/dev/null)\" -- \"$cur\"))\n"
		"\telif [[ $prev == --name || $prev == \"$verb\" ]]; then COMPREPLY=($(compgen -W "
		"\"$(xrsctl completion bash \"$noun\" 2>/dev/null)\" -- \"$cur\"))\n"
		"\tfi\n"
		"}\n"
		"complete -F _xrsctl xrsctl\n");
}
