// SPDX-License-Identifier: GPL-2.0-only
/* Any line: a method with checked parameters, or an error that makes one valid line of JSON. */
#include <stdlib.h>
#include <string.h>

#include "api/api_impl.h"
#include "api/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct api_request *request, const struct api_error *error)
{
	struct json_out out;
	json_t *json;

	if (!error->code || !*error->message)
		abort();
	json_out_init(&out);
	api_write_error(&out, request->id, error);
	json = json_loadb(out.data, out.len, 0, NULL);
	if (!json || memchr(out.data, '\n', out.len) != out.data + out.len - 1)
		abort();
	json_decref(json);
	json_out_done(&out);
}

static void check_call(const struct api_request *request)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)request->params, name, value) {
		bool known = false;

		for (const struct api_param *p = request->method->params; p && p->name; p++)
			known |= strcmp(p->name, name) == 0;
		if (!known)
			abort();
	}
	(void)request_writes(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api_request request;
	struct api_error error;
	enum http_target target = HTTP_ROOT;
	bool head;

	if (request_parse((const char *)data, size, api_methods, api_n_methods, &request, &error) <
	    0)
		check_error(&request, &error);
	else
		check_call(&request);
	request_done(&request);
	if (http_parse((const char *)data, size, &target, &head) > size)
		abort();
	return 0;
}
