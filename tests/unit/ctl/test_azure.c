// SPDX-License-Identifier: GPL-2.0-only
/* Routes of a peering in Azure's JSON, member by member. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "ctl/ctl.h"

static void expect(const char *answer, const char *peer_ip, const char *one)
{
	json_t *result = json_loads(answer, 0, NULL), *document, *wanted;
	char *text;

	cr_assert(result, "%s", answer);
	document = ctl_azure_routes(result, peer_ip);
	wanted = json_pack("{s:o,s:o}", "RouteServiceRole_IN_0", json_loads(one, 0, NULL),
			   "RouteServiceRole_IN_1", json_loads(one, 0, NULL));
	text = json_dumps(document, JSON_COMPACT);
	cr_assert(json_equal(document, wanted), "%s", text);
	free(text);
	json_decref(wanted);
	json_decref(document);
	json_decref(result);
}

Test(azure, learned_routes)
{
	expect("{\"value\": [{\"localAddress\": \"10.1.255.4\", \"network\": \"10.250.0.0/16\","
	       " \"nextHop\": \"10.1.2.4\", \"sourcePeer\": \"fw\", \"origin\": \"igp\", "
	       "\"source\":"
	       " \"EBgp\", \"asPath\": [65001, [65003, 65002]], \"weight\": 0, \"med\": 5, "
	       "\"valid\":"
	       " true}, {\"network\": \"10.1.0.0/16\", \"valid\": false}]}",
	       "10.1.2.4",
	       "[{\"asPath\": \"65001-65003-65002\", \"localAddress\": \"10.1.255.4\", \"network\":"
	       " \"10.250.0.0/16\", \"nextHop\": \"10.1.2.4\", \"origin\": \"EBgp\", "
	       "\"sourcePeer\":"
	       " \"10.1.2.4\", \"weight\": 32768}]");
	expect("{\"value\": [{\"network\": \"0.0.0.0/0\", \"source\": \"IBgp\", \"asPath\": [],"
	       " \"weight\": 7, \"nextHop\": null, \"valid\": true}]}",
	       "10.1.2.4",
	       "[{\"asPath\": \"\", \"localAddress\": \"\", \"network\": \"0.0.0.0/0\", "
	       "\"nextHop\":"
	       " \"\", \"origin\": \"IBgp\", \"sourcePeer\": \"10.1.2.4\", \"weight\": 7}]");
	expect("{\"value\": []}", "10.1.2.4", "[]");
}

Test(azure, advertised_routes)
{
	expect("{\"value\": [{\"localAddress\": \"10.1.255.4\", \"network\": \"10.1.0.0/16\","
	       " \"nextHop\": \"10.1.255.4\", \"sourcePeer\": null, \"source\": \"Network\","
	       " \"asPath\": [65515], \"weight\": 0}]}",
	       NULL,
	       "[{\"asPath\": \"65515\", \"localAddress\": \"10.1.255.4\", \"network\":"
	       " \"10.1.0.0/16\", \"nextHop\": \"10.1.255.4\", \"origin\": \"Igp\", \"weight\":"
	       " 0}]");
}
