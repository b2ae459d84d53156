// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a configuration comes from and whether it stays: the file, what the API made, and a commit that
 * goes back by itself unless it is confirmed, also when this process was killed in between. Called by
 * main.c (SIGHUP) and the API; node_apply() does the work. Everything is checked and on the disk before
 * it is in force.
 *
 * pending.json in the state directory, while a commit waits or after it went back:
 *	{ "version": 1, "deadline": usec or 0, "within": seconds, "text": the new file's part,
 *	  "previous": the one before }
 * The deadline is the wall clock's, which may be set back meanwhile: a start waits for `within` at most.
 * With deadline 0 it went back: "text" was refused, and as long as the file still says exactly that, a
 * start takes "previous" in its place.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/node_impl.h"
#include "agent/state_file.h"

#define SUBSYS      "config"
#define PENDING_MAX (40u << 20)

static void log_refused(struct node *node, const char *cause, const struct config_error *error)
{
	char text[CONFIG_ERROR_MAX + 512];

	node->counters.reload_failures++;
	node_event_config_refused(node, cause, error);
	log_err(SUBSYS, "the configuration stays as it was: %s",
		config_error_format(error, node->config_path, text, sizeof(text)));
}

static int refuse_busy(struct config_error *error)
{
	*error = (struct config_error){ .line = 0 };
	snprintf(error->message, sizeof(error->message),
		 "a configuration waits to be confirmed: confirm or undo it first");
	return -EBUSY;
}

/* --- pending.json ---------------------------------------------------------------------------------- */

static char *pending_path(const struct node *node, char buf[static 128])
{
	snprintf(buf, 128, "%s/pending.json", node->paths.state_dir);
	return buf;
}

static int kept(struct node *node, int r)
{
	node->counters.state_failures += r < 0;
	return r;
}

static int save_pending(struct node *node, uint64_t deadline, unsigned int within, const char *text,
			size_t len, const char *previous, size_t previous_len)
{
	json_t *root = json_pack("{s:i,s:I,s:I,s:s%,s:s%}", "version", 1, "deadline",
				 (json_int_t)deadline, "within", (json_int_t)within, "text", text,
				 len, "previous", previous, previous_len);
	char path[128], *dump = root ? json_dumps(root, JSON_COMPACT) : NULL;
	/* JSON holds no octets that are not UTF-8, such as in a comment. */
	int r = dump ? state_file_mkdir(node->paths.state_dir) : -EILSEQ;

	if (r == 0)
		r = state_file_write(pending_path(node, path), dump, strlen(dump), 0600);
	free(dump);
	json_decref(root);
	return kept(node, r);
}

static void forget_pending(struct node *node)
{
	char path[128];
	int r = state_file_remove(pending_path(node, path));

	node->commit.pending = false;
	loop_timer_stop(node->loop, &node->commit.timer);
	if (r < 0)
		log_err(SUBSYS, "%s: %s", path, strerror(-r));
}

/* --- going back -------------------------------------------------------------------------------------- */

static int keep_previous(struct node *node, const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	copy[len] = 0;
	free(node->commit.previous);
	node->commit.previous = copy;
	node->commit.previous_len = len;
	return 0;
}

/* The file holds exactly this text. */
static bool file_says(const struct node *node, const char *text, size_t len)
{
	char *data = NULL;
	size_t n = 0;
	bool same = state_file_read(node->config_path, PENDING_MAX, &data, &n) == 0 && n == len &&
		    memcmp(data, text, len) == 0;

	free(data);
	return same;
}

/* What was in force is the previous one afterwards, so that undo of an undo is possible. */
static int go_back(struct node *node, const char *cause, struct config_error *error)
{
	struct node_commit *commit = &node->commit;
	struct config *config = config_parse_both(commit->previous, commit->previous_len,
						  node->config->state, error);
	char *refused;
	size_t len;
	int r;

	if (!config)
		return -EINVAL;
	/* node_apply() frees the configuration in force; its text is needed on. */
	refused = node->config->text;
	len = node->config->text_len;
	node->config->text = NULL;
	r = node_apply(node, config, cause, error);
	if (r < 0) {
		node->config->text = refused;
		config_free(config);
		return r;
	}
	if (file_says(node, refused, len))
		save_pending(node, 0, 0, refused, len, node->config->text, node->config->text_len);
	else
		forget_pending(node);
	commit->pending = false;
	loop_timer_stop(node->loop, &commit->timer);
	free(commit->previous);
	commit->previous = refused;
	commit->previous_len = len;
	return 0;
}

static void not_confirmed(struct loop_timer *timer)
{
	struct node *node = timer->ctx;
	struct config_error error;

	log_warn(SUBSYS, "the configuration was not confirmed: back to the one before");
	if (go_back(node, "not confirmed", &error) < 0)
		log_refused(node, "not confirmed", &error);
}

static void wait_for_confirmation(struct node *node, uint64_t deadline_wall)
{
	uint64_t now = wall_now_usec();
	uint64_t left = deadline_wall > now ? deadline_wall - now : 0;

	node->commit.pending = true;
	node->commit.deadline_wall = deadline_wall;
	loop_timer_set(node->loop, &node->commit.timer, mono_add_usec(loop_now(node->loop), left));
	node_event_config_pending(node, deadline_wall);
}

/* --- actions --------------------------------------------------------------------------------------------- */

/* On failure the caller still owns @config. */
static int change_text(struct node *node, struct config *config, unsigned int confirm_sec,
		       const char *cause, struct config_error *error)
{
	uint64_t deadline = confirm_sec ? wall_now_usec() + confirm_sec * 1000000ull : 0;
	char *previous = node->config->text;
	size_t len = node->config->text_len;
	int r = node_check_fixed(node, config, error);

	if (r < 0)
		return r;
	if (confirm_sec) {
		r = save_pending(node, deadline, confirm_sec, config->text, config->text_len,
				 previous, len);
		if (r < 0) {
			*error = (struct config_error){ .line = 0 };
			snprintf(error->message, sizeof(error->message),
				 "the way back can not be kept in %s: %s", node->paths.state_dir,
				 strerror(-r));
			return r;
		}
	}
	r = keep_previous(node, previous, len);
	if (r == 0)
		r = node_apply(node, config, cause, error);
	if (r < 0) {
		forget_pending(node);
		return r;
	}
	if (confirm_sec)
		wait_for_confirmation(node, deadline);
	else
		forget_pending(node);
	return 0;
}

int node_config_apply(struct node *node, const char *text, size_t len, unsigned int confirm_sec,
		      struct config_error *ret_error)
{
	struct config *config;
	int r;

	if (node->commit.pending)
		return refuse_busy(ret_error);
	config = text ? config_parse_both(text, len, node->config->state, ret_error)
		      : config_load_both(node->config_path, node->config->state, ret_error);
	r = config ? change_text(node, config, confirm_sec, text ? "apply" : "reload", ret_error)
		   : -EINVAL;
	if (r < 0) {
		config_free(config);
		log_refused(node, text ? "apply" : "reload", ret_error);
		return r;
	}
	log_info(SUBSYS, "%s applied%s",
		 text ? "a configuration through the API" : node->config_path,
		 confirm_sec ? ", to be confirmed" : "");
	return 0;
}

int node_reload(struct node *node, struct config_error *ret_error)
{
	int r = node_config_apply(node, NULL, 0, 0, ret_error);

	if (r == -EBUSY)
		log_refused(node, "reload", ret_error);
	return r;
}

int node_confirm(struct node *node)
{
	if (!node->commit.pending)
		return -ENOENT;
	forget_pending(node);
	node_event_config_confirmed(node);
	log_info(SUBSYS, "confirmed");
	return 0;
}

int node_undo(struct node *node, struct config_error *ret_error)
{
	if (!node->commit.previous)
		return -ENOENT;
	return go_back(node, "undo", ret_error);
}

int node_change_state(struct node *node, struct json_t *state, const char *cause,
		      struct config_error *ret_error)
{
	struct config *config;
	int r;

	if (node->commit.pending)
		return refuse_busy(ret_error);
	config = config_parse_both(node->config->text, node->config->text_len, state, ret_error);
	if (!config)
		return -EINVAL;
	r = kept(node, config_save_state(node->paths.state_dir, state));
	if (r < 0) {
		*ret_error = (struct config_error){ .line = 0 };
		snprintf(ret_error->message, sizeof(ret_error->message), "%s/state.json: %s",
			 node->paths.state_dir, strerror(-r));
	} else {
		r = node_apply(node, config, cause, ret_error);
	}
	if (r < 0)
		config_free(config);
	return r;
}

/* The mode of a file that is there, or of a new one: it may name key files, not hold keys. */
static mode_t mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & 0777 : 0640;
}

int node_config_save(struct node *node, bool *ret_saved)
{
	const struct config *config = node->config;
	mode_t mode = mode_of(node->config_path);
	char old_path[sizeof(node->config_path) + 8], *old = NULL;
	size_t len = 0;
	int r;

	*ret_saved = false;
	if (file_says(node, config->text, config->text_len))
		return 0;
	snprintf(old_path, sizeof(old_path), "%s.old", node->config_path);
	r = state_file_read(node->config_path, PENDING_MAX, &old, &len);
	if (r == 0)
		r = state_file_write(old_path, old, len, mode);
	else if (r == -ENOENT)
		r = 0;
	free(old);
	if (r == 0)
		r = state_file_write(node->config_path, config->text, config->text_len, mode);
	if (kept(node, r) < 0)
		return r;
	if (!node->commit.pending)
		forget_pending(node); /* the file does not say what was refused any more */
	*ret_saved = true;
	return 0;
}

/* --- start and end -------------------------------------------------------------------------------------- */

/* NULL: there is none that can be read. */
static json_t *load_pending(const struct node *node)
{
	char path[128], *text = NULL;
	size_t len = 0;
	json_t *root;
	int r = state_file_read(pending_path(node, path), PENDING_MAX, &text, &len);

	if (r < 0) {
		if (r != -ENOENT)
			log_err(SUBSYS, "%s: %s", path, strerror(-r));
		return NULL;
	}
	root = json_loadb(text, len, 0, NULL);
	free(text);
	if (json_is_string(json_object_get(root, "text")) &&
	    json_is_string(json_object_get(root, "previous")))
		return root;
	log_err(SUBSYS, "%s is damaged and not looked at", path);
	json_decref(root);
	return NULL;
}

/* Uses this text in place of the file's. */
static int start_with(struct node *node, const char *text)
{
	struct config_error error;
	struct config *config = config_parse_both(text, strlen(text), node->config->state, &error);
	char shown[CONFIG_ERROR_MAX + 512];

	if (!config || node_check_fixed(node, config, &error) < 0) {
		log_err(SUBSYS, "pending.json: %s",
			config_error_format(&error, NULL, shown, sizeof(shown)));
		config_free(config);
		return -EINVAL;
	}
	config_free(node->config);
	node->config = config;
	return 0;
}

static int resume(struct node *node, const char *text, const char *previous, uint64_t deadline)
{
	int r;

	if (deadline > wall_now_usec()) { /* there is time left to confirm it */
		r = keep_previous(node, previous, strlen(previous));
		if (r == 0)
			r = start_with(node, text);
		if (r == 0)
			wait_for_confirmation(node, deadline);
		return r;
	}
	if (!deadline && !file_says(node, text, strlen(text))) { /* mended since */
		forget_pending(node);
		return 0;
	}
	log_warn(SUBSYS,
		 "a configuration was not confirmed: the one before it is in force until %s "
		 "changes or is read again by 'xrsctl config reload'",
		 node->config_path);
	r = start_with(node, previous);
	if (r == 0 && deadline)
		r = save_pending(node, 0, 0, text, strlen(text), previous, strlen(previous));
	return r;
}

static uint64_t deadline_of(const json_t *pending)
{
	uint64_t deadline = (uint64_t)json_integer_value(json_object_get(pending, "deadline"));
	uint64_t within = (uint64_t)json_integer_value(json_object_get(pending, "within"));
	uint64_t latest = wall_now_usec() + within * 1000000;

	return within && deadline > latest ? latest : deadline;
}

void node_config_resume(struct node *node)
{
	json_t *pending;

	node->commit.timer = (struct loop_timer){ .fn = not_confirmed, .ctx = node };
	pending = load_pending(node);
	if (pending && resume(node, json_string_value(json_object_get(pending, "text")),
			      json_string_value(json_object_get(pending, "previous")),
			      deadline_of(pending)) < 0)
		log_err(SUBSYS, "%s is in force as it is", node->config_path);
	json_decref(pending);
}

void node_config_done(struct node *node)
{
	loop_timer_stop(node->loop, &node->commit.timer);
	free(node->commit.previous);
	node->commit.previous = NULL;
}
