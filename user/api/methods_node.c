// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handlers of system.*, rpc.discover, metrics.get and log.setLevel. What they change is the log level and
 * whether this route server is in service.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/config_schema.h"
#include "api/api_impl.h"

#define SHUTDOWN_DRAIN_SEC 60 /* as methods.c says */

/* --- system ----------------------------------------------------------------------------------------- */

int method_system_info(struct api_call *call)
{
	static const char *const features[] = { "ipv4",       "ipv6", "ecmp",    "graceful-restart",
						"route-maps", "bfd",  "monitor", "commit",
						"what-if",    "mrt" };
	const struct node *node = call->node;
	struct utsname name = { .release = "" };
	struct json_out *out = call->out;

	uname(&name);
	json_out_string(out, "product", "xrs");
	json_out_string(out, "version", XRS_VERSION);
	json_out_string(out, "apiVersion", API_VERSION);
	json_out_string(out, "node", name.nodename);
	json_out_string(out, "instance", node->config->instance);
	json_out_string(out, "kernel", name.release);
	json_out_string(out, "bpfPinPath", node->paths.bpffs_dir);
	json_out_string(out, "configPath", node->config_path);
	json_out_string(out, "dataplaneMode", dataplane_mode_name(node->config->mode));
	json_out_begin_array(out, "features");
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		json_out_string(out, NULL, features[i]);
	json_out_end_array(out);
	write_time(out, "startTime", node->started_wall);
	json_out_uint(out, "uptimeSeconds",
		      mono_since_usec(loop_now(node->loop), node->started) / 1000000);
	json_out_uint(out, "pid", (uint64_t)getpid());
	json_out_string(out, "gracefulShutdown", node_shutdown_state(call->node));
	return 0;
}

int method_system_graceful_shutdown(struct api_call *call)
{
	node_shutdown(call->node,
		      (uint32_t)request_integer(call->request, "seconds", SHUTDOWN_DRAIN_SEC),
		      request_text(call->request, "message"));
	return method_system_info(call);
}

int method_system_startup(struct api_call *call)
{
	node_startup(call->node);
	return method_system_info(call);
}

enum health {
	HEALTH_OK,
	HEALTH_DEGRADED,
	HEALTH_FAILED
};
static const char *const health_names[] = { "ok", "degraded", "failed" };

struct health_report {
	struct json_out *out;
	enum health worst;
};

static void check(struct health_report *report, const char *name, const char *subject,
		  enum health state, const char *message)
{
	json_out_begin_object(report->out, NULL);
	json_out_string(report->out, "name", name);
	json_out_string(report->out, "subject", subject);
	json_out_string(report->out, "state", health_names[state]);
	json_out_string(report->out, "message", message);
	json_out_end_object(report->out);
	if (state > report->worst)
		report->worst = state;
}

static void check_peerings(struct health_report *report, const struct node *node)
{
	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t p = 0; p < node->vnets[v]->n_peerings; p++) {
			const struct node_peering *peering = node->vnets[v]->peerings[p];
			struct session_info info;

			session_get_info(peering->session, &info);
			if (info.disabled || session_is_established(peering->session))
				continue;
			check(report, "peering", peering->config->name, HEALTH_DEGRADED,
			      info.problem ? info.problem : fsm_state_name(info.state));
		}
	}
}

static void check_nics(struct health_report *report, const struct node *node)
{
	for (size_t i = 0; i < node->n_nics; i++) {
		const struct node_nic *nic = node->nics[i];

		if (nic->state != NIC_ATTACHED && nic->state != NIC_EXCLUDED)
			check(report, "nic", nic->name, HEALTH_DEGRADED, nic->reason);
	}
}

/*
 * The nic of an appliance that is treated as a VM's would have its own traffic steered back to it (an
 * appliance that announces a default route).
 */
static void check_roles(struct health_report *report, const struct node *node)
{
	for (size_t i = 0; node->net && i < node->n_nics; i++) {
		const struct node_nic *nic = node->nics[i];

		for (size_t p = 0;
		     nic->vnet && nic->role == XRS_NIC_VM && p < nic->vnet->n_peerings; p++) {
			const struct peering_config *config = nic->vnet->peerings[p]->config;

			if (net_model_port_of_ip(node->net, 0, &config->peer_ip) == nic->ifindex)
				check(report, "nicRole", nic->name, HEALTH_DEGRADED,
				      "the appliance of a peering is behind it: give it role nva");
		}
	}
}

static void check_fib(struct health_report *report, const struct node *node)
{
	struct fib_plan_totals totals;

	if (!node->plan)
		return;
	totals = fib_plan_totals(node->plan);
	if (totals.routes.rejected || totals.groups.rejected || totals.nexthops.rejected)
		check(report, "fib", "maps", HEALTH_FAILED, "the kernel rejected map entries");
	else
		check(report, "fib", "maps", HEALTH_OK, "");
}

int method_system_health(struct api_call *call)
{
	struct health_report report = { .out = call->out };

	json_out_begin_array(call->out, "checks");
	check_fib(&report, call->node);
	if (call->node->shut_down)
		check(&report, "shutdown", node_shutdown_state(call->node), HEALTH_DEGRADED,
		      "out of service until startup");
	check_peerings(&report, call->node);
	check_nics(&report, call->node);
	check_roles(&report, call->node);
	json_out_end_array(call->out);
	json_out_string(call->out, "state", health_names[report.worst]);
	return 0;
}

/* --- rpc.discover: the table as OpenRPC ---------------------------------------------------------------- */

static void write_schema(struct json_out *out, const struct api_param *param)
{
	static const char *const types[] = {
		[API_TEXT] = "string",   [API_INTEGER] = "integer", [API_BOOL] = "boolean",
		[API_WORD] = "string",   [API_ADDRESS] = "string",  [API_PREFIX] = "string",
		[API_OBJECT] = "object", [API_WORD_LIST] = "array",
	};

	json_out_begin_object(out, "schema");
	json_out_string(out, "type", types[param->type]);
	if (param->type == API_INTEGER) {
		json_out_int(out, "minimum", param->min);
		json_out_int(out, "maximum", param->max);
	}
	if (param->type == API_TEXT)
		json_out_int(out, "maxLength", param->max ? param->max : 255);
	if (param->type == API_ADDRESS)
		json_out_string(out, "format", "ip");
	if (param->type == API_PREFIX)
		json_out_string(out, "format", "ip-prefix");
	if (param->words) {
		json_out_begin_array(out, "enum");
		for (const char *const *word = param->words; *word; word++)
			json_out_string(out, NULL, *word);
		json_out_end_array(out);
	}
	json_out_end_object(out);
}

/* Parameters that are keys of the configuration; their types stand in xrs.json(5). */
static void write_keys(struct json_out *out, const struct config_object *object)
{
	for (const struct config_field *field = object->fields; field->key; field++) {
		json_out_begin_object(out, NULL);
		json_out_string(out, "name", field->key);
		json_out_string(out, "description", field->doc);
		json_out_bool(out, "required", field->flags & CONFIG_REQUIRED);
		json_out_begin_object(out, "schema");
		json_out_string(out, "title", field->type->name);
		json_out_end_object(out);
		json_out_end_object(out);
	}
}

static void write_method(struct json_out *out, const struct api_method *method)
{
	json_out_begin_object(out, NULL);
	json_out_string(out, "name", method->name);
	json_out_string(out, "summary", method->summary);
	json_out_string(out, "paramStructure", "by-name");
	json_out_bool(out, "x-writes", method->access == API_WRITES);
	json_out_begin_array(out, "params");
	for (const struct api_param *param = method->params; param && param->name; param++) {
		if (param->type == API_KEYS) {
			write_keys(out, param->object);
			continue;
		}
		json_out_begin_object(out, NULL);
		json_out_string(out, "name", param->name);
		json_out_string(out, "description", param->doc);
		json_out_bool(out, "required", param->required);
		write_schema(out, param);
		json_out_end_object(out);
	}
	json_out_end_array(out);
	json_out_begin_object(out, "result");
	json_out_string(out, "name", "result");
	json_out_string(out, "description", method->result);
	json_out_begin_object(out, "schema");
	json_out_string(out, "type", "object");
	json_out_end_object(out);
	json_out_end_object(out);
	json_out_end_object(out);
}

int method_rpc_discover(struct api_call *call)
{
	struct json_out *out = call->out;

	json_out_string(out, "openrpc", "1.2.6");
	json_out_begin_object(out, "info");
	json_out_string(out, "title", "XRS control API");
	json_out_string(out, "version", API_VERSION);
	json_out_end_object(out);
	json_out_begin_array(out, "methods");
	for (size_t i = 0; i < api_n_methods; i++)
		write_method(out, &api_methods[i]);
	json_out_end_array(out);
	return 0;
}

/* --- the rest ------------------------------------------------------------------------------------------ */

int method_log_set_level(struct api_call *call)
{
	enum log_level level = LOG_LEVEL_INFO;

	log_level_parse(request_text(call->request, "level"), &level); /* was checked */
	log_set_level(level);
	json_out_string(call->out, "level", log_level_name(level));
	return 0;
}
