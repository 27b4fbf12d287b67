package org.crac;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Resources in the order in which they came: told of snapshots last to first, of restorations first to last. */
final class Registered extends Context<Resource> {
    private final List<Resource> resources = new ArrayList<>();

    @Override
    public synchronized void register(Resource resource) {
        resources.add(resource);
    }

    private synchronized List<Resource> all() {
        return new ArrayList<>(resources);
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) throws CheckpointException {
        List<Resource> told = all();
        Collections.reverse(told);
        CheckpointException failed = null;
        for (Resource resource : told) {
            try {
                resource.beforeCheckpoint(this);
            } catch (Exception e) {
                failed = failed == null ? new CheckpointException(e.toString()) : failed;
                failed.addSuppressed(e);
            }
        }
        if (failed != null) {
            throw failed;
        }
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) throws RestoreException {
        RestoreException failed = null;
        for (Resource resource : all()) {
            try {
                resource.afterRestore(this);
            } catch (Exception e) {
                failed = failed == null ? new RestoreException(e.toString()) : failed;
                failed.addSuppressed(e);
            }
        }
        if (failed != null) {
            throw failed;
        }
    }
}
