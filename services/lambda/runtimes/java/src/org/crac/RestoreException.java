package org.crac;

/** A resource did not survive its restoration; the suppressed exceptions say why. */
public class RestoreException extends Exception {
    private static final long serialVersionUID = 1;

    public RestoreException() {}

    public RestoreException(String message) {
        super(message);
    }
}
