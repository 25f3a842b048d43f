/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the fields of a message of the optiq feed stand (framings/optiq.toml), for what sends,
 * counts and judges it here, in user space and in the kernel. */
#ifndef LINEARB_BENCH_OPTIQ_H
#define LINEARB_BENCH_OPTIQ_H

enum {
  OPTIQ_FIRST_PORT = 30001, /* of the first channel; the others follow */
  OPTIQ_SERVICE_ID = 2,     /* the channel, from 1 */
  OPTIQ_SESSION_ID = 4,
  OPTIQ_SEQUENCE_NUMBER = 8,
  OPTIQ_TIMESTAMP = 12,
  OPTIQ_MESSAGE_LENGTH = 36,
};

#endif
