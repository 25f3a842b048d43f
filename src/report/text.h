// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "linearb/summary.h"

namespace linearb::report {

/// A row of a table: what it is called, one cell a line of the feed, and what it means.
struct Row {
  std::string name;
  std::vector<std::string> cells;
  std::string meaning;
};

/// Names to the left, cells to the right of their columns, as wide as the widest of them.
std::string table_text(const std::vector<Row>& rows);

/// The summary as a person reads it: what came out, what no line brought, what each line did.
/// Rows in which every line has nothing are left out, except those that one looks for.
void print_summary(std::FILE* stream, const Summary& summary);

}  // namespace linearb::report
