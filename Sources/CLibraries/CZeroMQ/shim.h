// The importer leaves out macros that are expressions.
#include <zmq.h>
