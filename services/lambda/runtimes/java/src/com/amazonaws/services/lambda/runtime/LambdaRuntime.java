package com.amazonaws.services.lambda.runtime;

/** The logger, for code that has no context. */
public final class LambdaRuntime {
    private static final LambdaLogger LOGGER = new pagoda.runtime.Log();

    private LambdaRuntime() {}

    public static LambdaLogger getLogger() {
        return LOGGER;
    }
}
