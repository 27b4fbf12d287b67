package org.crac;

/** A snapshot cannot be taken; the suppressed exceptions say why. */
public class CheckpointException extends Exception {
    private static final long serialVersionUID = 1;

    public CheckpointException() {}

    public CheckpointException(String message) {
        super(message);
    }
}
