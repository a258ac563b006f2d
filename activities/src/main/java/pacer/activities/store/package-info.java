/**
 * The store: datasets, checkpoints and runs in S3, where every host finds them. {@link pacer.activities.store.ObjectStore} is the only one
 * that knows S3, and its classes are loaded at its first use: a run without a store pays nothing for it.
 */
package pacer.activities.store;
