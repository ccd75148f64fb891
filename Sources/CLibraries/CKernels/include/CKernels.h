// The kernels that oneDNN does not have or does not fuse. All run on the OpenMP team of the calling thread, the one
// that oneDNN uses; results do not depend on the number of threads.
#pragma once
#include "CKernelsElementwise.h"
#include "CKernelsImages.h"
#include "CKernelsInt8.h"
#include "CKernelsLosses.h"
#include "CKernelsNorms.h"
#include "CKernelsOptimizers.h"
#include "CKernelsPooling.h"
#include "CKernelsQuantization.h"
#include "CKernelsRandom.h"
#include "CKernelsTeam.h"
#include "CKernelsTokens.h"
