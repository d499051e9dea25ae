// The program of a pod's sandbox: it holds the pod's namespaces and does nothing else.
module localcluster/pause

go 1.26.0
