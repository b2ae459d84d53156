// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs one fuzz target over its corpus without a fuzzing engine: `make check` links it with each
 * tests/fuzz/fuzz_<x>.c. Reports one TAP test for the target. A crash is seen by the runner; the
 * input at fault is named before it is tried.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1 << 20)

/* The input has exactly its size on the heap, so that ASan sees one octet read too many. */
static int replay_file(const char *path)
{
	static uint8_t buf[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	uint8_t *input;
	size_t len;

	if (!file)
		return -errno;
	len = fread(buf, 1, sizeof(buf), file);
	fclose(file);
	input = malloc(len ? len : 1);
	if (!input)
		return -ENOMEM;
	memcpy(input, buf, len);
	fprintf(stderr, "# replay %s (%zu octets)\n", path, len);
	LLVMFuzzerTestOneInput(input, len);
	free(input);
	return 0;
}

static int replay_directory(const char *dir, unsigned int *ret_inputs)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, NULL, alphasort);
	unsigned int inputs = 0;
	int err = 0;

	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		if (!err && entries[i]->d_name[0] != '.') {
			err = replay_file(path);
			inputs++;
		}
		free(entries[i]);
	}
	free(entries);
	*ret_inputs = inputs;
	return err;
}

int main(int argc, char **argv)
{
	const char *base = strrchr(argv[0], '/');
	const char *name = strstr(base ? base : argv[0], "replay_");
	unsigned int inputs = 0;
	char dir[512];
	int err;

	name = name ? name + strlen("replay_") : "unknown";
	snprintf(dir, sizeof(dir), "tests/fuzz/corpus/%s", name);
	/* No input at all, as a fuzzer does first. */
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	err = replay_directory(dir, &inputs);
	printf("1..1\n");
	if (err || !inputs)
		printf("not ok - fuzz::%s\n# %s: %s\n", name, dir,
		       err ? strerror(-err) : "the corpus is empty");
	else
		printf("ok - fuzz::%s (%u inputs)\n", name, inputs);
	return err || !inputs;
}
