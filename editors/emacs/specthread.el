;;; specthread.el --- From a sentence to merged, verified code  -*- lexical-binding: t; -*-

;; Package-Requires: ((emacs "29.1"))
;; Homepage: https://github.com/specthread/specthread
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Eglot is the client; this file tells it about Specthread, and adds a
;; command with all that the server can do:
;;
;;     (load "/path/to/editors/emacs/specthread.el")
;;     (add-hook 'markdown-mode-hook #'eglot-ensure)
;;
;; Open a Markdown file of a repository, then M-x specthread RET new-task.
;; Another server for Markdown can still be chosen: C-u M-x eglot.
;; In a live document M-x eglot-code-actions offers what its lenses offer in
;; other editors: approve, request changes, start, comment here.
;;
;; Spec folders and live documents are served like code: Flymake marks what
;; is wrong, M-x eglot-code-action-quickfix mends it, M-x eglot-rename gives a
;; requirement, criterion, task or property another number in all files of
;; the spec (C-x s saves them), M-. and M-? follow numbers, Eldoc and imenu
;; explain and list them.  Without a daemon, for spec folders alone:
;;
;;     (setq specthread-command '("specthread" "lsp" "--standalone"))

;;; Code:

(require 'eglot)

(defcustom specthread-command '("specthread" "lsp")
  "The program that connects an editor to Specthread, and its arguments."
  :type '(repeat string)
  :group 'eglot)

(add-to-list 'eglot-server-programs
             (cons '(markdown-mode gfm-mode markdown-ts-mode)
                   (lambda (&rest _) specthread-command)))

(defun specthread--follow ()
  "Read a live document again when the daemon has written it."
  (when (and (eglot-managed-p) buffer-file-name (string-match-p "/desk/" buffer-file-name))
    (setq-local auto-revert-verbose nil)
    (auto-revert-mode 1)))

(add-hook 'eglot-managed-mode-hook #'specthread--follow)

(defun specthread--verbs ()
  "Return what the server can do."
  (let ((commands (eglot-server-capable :executeCommandProvider :commands)))
    (cl-loop for each across (or commands [])
             when (string-prefix-p "specthread." each)
             collect (string-remove-prefix "specthread." each))))

;;;###autoload
(defun specthread (verb)
  "Carry out VERB, one of the commands of Specthread."
  (interactive
   (list (completing-read "Specthread: "
                          (or (and (eglot-current-server) (specthread--verbs))
                              (user-error "Open a Markdown file of the repository and start eglot in it"))
                          nil t)))
  (when (string-empty-p verb)
    (user-error "Name one of the commands"))
  (eglot-execute (eglot-current-server) (list :command (concat "specthread." verb) :arguments [])))

(provide 'specthread)
;;; specthread.el ends here
