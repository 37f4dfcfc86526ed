// Custom resources that the manifests use, of the projects that define them: their files, not their programs.
module drmp.invalid/cluster/crds

go 1.24.0

require github.com/kedacore/keda/v2 v2.18.1
